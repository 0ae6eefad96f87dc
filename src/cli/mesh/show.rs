//! `stolos mesh show`

use crate::cli::args::{OutputArguments, Reading};
use crate::cli::status;
use crate::error::Result;
use crate::render::table::table;
use crate::render::{Format, Terminal};
use crate::status::StatusReport;
use crate::status::report::ControlPlaneReport;

/// Show the control planes: revision, version, who installed them, read-only, with or without a fleet file
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: OutputArguments,
}

const HEADER: [&str; 9] = [
    "CLUSTER",
    "NAMESPACE",
    "REVISION",
    "ISTIO",
    "READY",
    "INSTALLED BY",
    "CLUSTER ID",
    "MESH ID",
    "TRUST DOMAIN",
];

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let document = status::read(&arguments.reading, terminal).await?;
    let failure = document.body().control_planes_failure();
    match arguments.output.output {
        Format::Table | Format::Wide => {
            let rows = document.body().clusters.iter().flat_map(|cluster| {
                let planes = cluster.control_planes.iter();
                planes.map(|plane| cells(&cluster.name, plane))
            });
            terminal.answer(&table(HEADER, rows))?;
            status::say_hints(&document, terminal);
        }
        format @ (Format::Json | Format::Yaml) => {
            terminal.document(format, &document.map(StatusReport::control_plane_list))?;
        }
    }
    status::exit(failure)
}

fn cells(cluster: &str, plane: &ControlPlaneReport) -> [String; 9] {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let ready = plane.replicas.iter().filter(|replica| replica.ready).count();
    let word = if plane.ready { "yes" } else { "no" };
    [
        cluster.to_owned(),
        plane.namespace.clone(),
        plane.revision.clone(),
        known(&plane.version),
        format!("{word} {ready}/{}", plane.replicas.len()),
        plane.installed_by.as_str().to_owned(),
        known(&plane.cluster_id),
        known(&plane.mesh_id),
        known(&plane.trust_domain),
    ]
}
