//! `stolos lab list`

use serde::Serialize;

use crate::cli::args::OutputArguments;
use crate::cli::session::new_run;
use crate::document::{Body, Document, DocumentError};
use crate::error::Result;
use crate::inventory::FailureClass;
use crate::lab::{self, ClusterState, Lab, LabState};
use crate::render::table::table;
use crate::render::{Format, Terminal};

/// List the labs on this machine and their clusters
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct LabList {
    labs: Vec<LabRow>,
}

impl Body for LabList {
    const KIND: &'static str = "LabList";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LabRow {
    name: String,
    state: LabState,
    directory: String,
    kubeconfig: String,
    /// The process whose end ends the lab.
    supervisor: u32,
    clusters: Vec<ClusterRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterRow {
    context: String,
    /// None where the lab is dead or does not say.
    state: Option<ClusterState>,
    /// The API server's URL on this machine.
    server: String,
    /// The API server's URL in the lab's network.
    inner_server: String,
    audit_log: String,
}

pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let mut errors = Vec::new();
    let labs: Vec<LabRow> = lab::list()?.iter().map(|lab| row(lab, &mut errors)).collect();
    for error in &errors {
        terminal.warn(&error.message);
    }
    match arguments.output.output {
        Format::Table | Format::Wide => terminal.answer(&as_table(&labs)),
        format @ (Format::Json | Format::Yaml) => {
            terminal.document(format, &Document::new(&new_run(), errors, LabList { labs }))
        }
    }
}

fn row(lab: &Lab, errors: &mut Vec<DocumentError>) -> LabRow {
    let state = lab.state();
    let states = match state {
        LabState::Running => lab::states(lab).unwrap_or_else(|error| {
            errors.push(DocumentError {
                cluster: String::new(),
                class: FailureClass::Server,
                verb: "get".to_owned(),
                resource: "states".to_owned(),
                message: error.to_string(),
            });
            Default::default()
        }),
        LabState::Dead => Default::default(),
    };
    LabRow {
        name: lab.name.to_string(),
        state,
        directory: lab.directory.to_string_lossy().into_owned(),
        kubeconfig: lab.kubeconfig.to_string_lossy().into_owned(),
        supervisor: lab.supervisor_process(),
        clusters: lab
            .clusters
            .iter()
            .map(|cluster| ClusterRow {
                context: cluster.context.clone(),
                state: states.get(&cluster.context).copied(),
                server: format!("https://127.0.0.1:{}", cluster.port),
                inner_server: cluster.inner_url.clone(),
                audit_log: cluster.audit_log.to_string_lossy().into_owned(),
            })
            .collect(),
    }
}

fn as_table(labs: &[LabRow]) -> String {
    let rows = labs.iter().flat_map(|lab| {
        lab.clusters.iter().map(|cluster| {
            let state = match (lab.state, cluster.state) {
                (LabState::Dead, _) => "dead",
                (LabState::Running, Some(state)) => state.as_str(),
                (LabState::Running, None) => "unknown",
            };
            [
                lab.name.clone(),
                cluster.context.clone(),
                state.to_owned(),
                cluster.server.clone(),
                cluster.inner_server.clone(),
            ]
        })
    });
    table(["LAB", "CONTEXT", "STATE", "SERVER", "INNER SERVER"], rows)
}
