//! `stolos lab demo`

use std::path::Path;
use std::process::Command as Process;

use super::up::Teller;
use crate::error::{Error, ErrorKind, Result};
use crate::lab::shape::{Extent, LabName};
use crate::lab::{self, Lab, UpRequest};
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
    let fleet = lab.directory.join("stolos.yaml");
    let contexts = format!("{name}-*");
    let steps: [&[&str]; 3] = [
        &[
            "init",
            "--yes",
            "--context",
            &contexts,
            "--model",
            "multi-primary",
            "--name",
            name.as_str(),
        ],
        &["apply", "--yes"],
        &["status"],
    ];
    for step in steps {
        terminal.say(&format!("$ stolos {}", shown(step)));
        stolos(step, &lab, &fleet)?;
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

/// A command line as a person types it.
fn shown(arguments: &[&str]) -> String {
    let quoted: Vec<String> = arguments
        .iter()
        .map(|argument| {
            if argument.contains('*') {
                format!("'{argument}'")
            } else {
                (*argument).to_owned()
            }
        })
        .collect();
    quoted.join(" ")
}

/// Runs this program as a person would in the lab's environment; what it keeps on this machine (the
/// root, the journal) is kept in the lab's folder, to go with it.
fn stolos(arguments: &[&str], lab: &Lab, fleet: &Path) -> Result<()> {
    let broken = |reason: String| {
        Error::new(
            ErrorKind::Bug,
            format!("run stolos {}: {reason}", shown(arguments)),
        )
    };
    let program = std::env::current_exe().map_err(|error| broken(error.to_string()))?;
    let status = Process::new(program)
        .args(arguments)
        .envs(lab::environment(lab))
        .env("STOLOS_FLEET", fleet)
        .env("XDG_DATA_HOME", lab.directory.join("data"))
        .env("XDG_STATE_HOME", lab.directory.join("state"))
        .status()
        .map_err(|error| broken(error.to_string()))?;
    match status.code() {
        Some(0) => Ok(()),
        // It has said why.
        Some(1) => Err(Error::already_said(ErrorKind::Request)),
        Some(3) => Err(Error::already_said(ErrorKind::Differs)),
        Some(4) => Err(Error::already_said(ErrorKind::Partial)),
        Some(5) => Err(Error::already_said(ErrorKind::Unreachable)),
        _ => Err(broken(format!("it ended with {status}"))),
    }
}
