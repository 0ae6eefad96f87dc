//! `stolos clusters`

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::args::OutputArguments;
use super::session::new_run;
use crate::document::{Body, Document};
use crate::error::{Error, Result};
use crate::fleet::selector::Selector;
use crate::fleet::{Area, ClusterSpec, Role};
use crate::host::fleet_file;
use crate::render::table::table;
use crate::render::{Format, Terminal};

/// List the clusters of the fleet file
#[derive(Debug, Args)]
pub struct Arguments {
    /// The fleet file; default: the nearest `stolos.yaml` upward from the working directory
    #[arg(long, value_name = "PATH", env = "STOLOS_FLEET")]
    fleet: Option<PathBuf>,
    /// Only clusters with these labels in the fleet file (`env=prod,region=us-east`)
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct ClusterList {
    fleet: String,
    path: PathBuf,
    clusters: Vec<Row>,
}

impl Body for ClusterList {
    const KIND: &'static str = "ClusterList";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    context: String,
    uid: String,
    role: Role,
    network: String,
    manage: Vec<Area>,
    labels: std::collections::BTreeMap<String, String>,
}

impl Row {
    fn of(cluster: &ClusterSpec) -> Self {
        Self {
            name: cluster.name.to_string(),
            context: cluster.context().to_owned(),
            uid: cluster.uid.clone().unwrap_or_default(),
            role: cluster.role,
            network: cluster
                .network
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            manage: Area::ALL
                .into_iter()
                .filter(|area| cluster.manages(*area))
                .collect(),
            labels: cluster.labels.clone(),
        }
    }

    fn areas(&self) -> String {
        if self.manage.is_empty() {
            return "-".to_owned();
        }
        let areas: Vec<&str> = self.manage.iter().map(|area| area.as_str()).collect();
        areas.join(",")
    }
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let file = fleet_file::load(arguments.fleet.as_deref())?;
    let selector: Option<Selector> = arguments
        .selector
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error| Error::request(format!("read --selector: {error}")))?;
    let clusters: Vec<Row> = file
        .fleet
        .spec
        .clusters
        .iter()
        .filter(|cluster| {
            selector
                .as_ref()
                .is_none_or(|selector| selector.matches(&cluster.labels))
        })
        .map(Row::of)
        .collect();
    match arguments.output.output {
        Format::Table => terminal.answer(&table(
            ["NAME", "CONTEXT", "ROLE", "NETWORK", "MANAGED"],
            clusters.iter().map(|row| {
                [
                    row.name.clone(),
                    row.context.clone(),
                    row.role.as_str().to_owned(),
                    row.network.clone(),
                    row.areas(),
                ]
            }),
        )),
        Format::Wide => terminal.answer(&table(
            ["NAME", "CONTEXT", "ROLE", "NETWORK", "MANAGED", "UID", "LABELS"],
            clusters.iter().map(|row| {
                let labels: Vec<String> = row
                    .labels
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                [
                    row.name.clone(),
                    row.context.clone(),
                    row.role.as_str().to_owned(),
                    row.network.clone(),
                    row.areas(),
                    row.uid.clone(),
                    labels.join(","),
                ]
            }),
        )),
        format @ (Format::Json | Format::Yaml) => {
            let body = ClusterList {
                fleet: file.fleet.metadata.name.to_string(),
                path: file.path,
                clusters,
            };
            terminal.document(format, &Document::new(&new_run(), Vec::new(), body))
        }
    }
}
