//! `stolos mesh models`

use serde::Serialize;

use crate::cli::args::OutputArguments;
use crate::cli::session::new_run;
use crate::document::{Body, Document};
use crate::error::Result;
use crate::mesh::guard::table::{COMBINATIONS, Combination, RELEASES, Release};
use crate::render::table::table;
use crate::render::{Format, Terminal};

/// The table by which plans are refused.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct ModelList {
    models: &'static [Combination],
    releases: &'static [Release],
}

impl Body for ModelList {
    const KIND: &'static str = "ModelList";
}

/// Prints what goes together.
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    match arguments.output.output {
        Format::Table => terminal.answer(&format!("{}\n{}", models(), releases())),
        Format::Wide => terminal.answer(&format!("{}\n{}", models_with_references(), releases())),
        format => {
            let list = ModelList {
                models: COMBINATIONS,
                releases: RELEASES,
            };
            terminal.document(format, &Document::new(&new_run(), Vec::new(), list))
        }
    }
}

fn models() -> String {
    let header = ["MODEL", "DATA PLANE", "NETWORKS", "VERDICT", "REASON"];
    table(header, COMBINATIONS.iter().map(cells))
}

fn models_with_references() -> String {
    let header = [
        "MODEL",
        "DATA PLANE",
        "NETWORKS",
        "VERDICT",
        "REASON",
        "REFERENCE",
    ];
    let rows = COMBINATIONS.iter().map(|row| {
        let [model, mode, networks, verdict, reason] = cells(row);
        [model, mode, networks, verdict, reason, row.reference.to_owned()]
    });
    table(header, rows)
}

fn cells(row: &Combination) -> [String; 5] {
    let networks: Vec<&str> = row.networks.iter().map(|networks| networks.as_str()).collect();
    let reason = if row.reason.is_empty() { "-" } else { row.reason };
    [
        row.model.as_str().to_owned(),
        row.data_plane_mode.as_str().to_owned(),
        networks.join(" | "),
        row.verdict.as_str().to_owned(),
        reason.to_owned(),
    ]
}

fn releases() -> String {
    let header = ["ISTIO", "KUBERNETES", "SUPPORT", "EVIDENCE"];
    let rows = RELEASES.iter().map(|release| {
        let (oldest, newest) = release.kubernetes;
        [
            release.istio.to_string(),
            format!("{oldest} to {newest}"),
            release.support.as_str().to_owned(),
            release.evidence.as_str().to_owned(),
        ]
    });
    table(header, rows)
}
