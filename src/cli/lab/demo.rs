//! `stolos lab demo`

use super::fleet;
use super::up::Teller;
use crate::cli::init::{data_plane_mode, model};
use crate::error::Result;
use crate::fleet::{DataPlaneMode, Model};
use crate::lab::shape::{Extent, LabName};
use crate::lab::{self, UpRequest};
use crate::render::Terminal;

/// Do the main job start to end on a fresh lab: from nothing to a mesh, and its status
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The lab's name; one of this name that runs is taken down first
    #[arg(long, value_name = "NAME", default_value = "demo")]
    name: LabName,
    /// How many clusters
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(2..=8))]
    clusters: u8,
    /// The deployment model of the mesh
    #[arg(long, value_name = "MODEL", default_value = "multi-primary", value_parser = model)]
    model: Model,
    /// How workloads take part in the mesh: `sidecar`, or `ambient`
    #[arg(long, value_name = "MODE", default_value = "sidecar", value_parser = data_plane_mode)]
    data_plane_mode: DataPlaneMode,
}

pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let name = &arguments.name;
    terminal.say(&format!(
        "$ stolos lab up --name {name} --clusters {}",
        arguments.clusters
    ));
    lab::down(name)?;
    let request = UpRequest {
        name: name.clone(),
        clusters: Some(arguments.clusters),
        extent: Extent::Whole,
    };
    let teller = Teller::new(terminal);
    let lab = lab::up(&request, &|event| teller.tell(event))?;
    let contexts = fleet::contexts(&lab);
    if arguments.data_plane_mode == DataPlaneMode::Ambient {
        lab::define_gateway_api(&lab)?;
    }
    fleet::init(&lab, arguments.model, arguments.data_plane_mode, terminal)?;
    for step in [&["apply", "--yes"][..], &["status"]] {
        fleet::stolos(step, &lab, terminal)?;
    }
    terminal.say(&format!(
        "\nThis mesh is real: API servers, etcd and istiods on this machine. Its fleet file and its root lie in\n\
         {}, and go with it.\n\
         \x20 look around:   eval \"$(stolos lab env --name {name})\"; istioctl --context {name}-1 remote-clusters\n\
         \x20 its status:    stolos status --context '{contexts}'\n\
         \x20 take it down:  stolos lab down --name {name}",
        lab.directory.display()
    ));
    Ok(())
}
