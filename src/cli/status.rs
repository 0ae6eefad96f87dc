//! `stolos status`

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::args::{OutputArguments, Reading};
use super::collecting::{EarlyRows, Scope};
use super::hints;
use super::session::Session;
use crate::cluster::Purpose;
use crate::document::{Document, DocumentError};
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::Fleet;
use crate::host::fleet_file::FleetFile;
use crate::host::keys::RootStore;
use crate::inventory::Inventory;
use crate::render::status::{self as view, Look};
use crate::render::{Format, Terminal};
use crate::status::report::ClusterReport;
use crate::status::{self, StatusReport};
use crate::trust::RootOnHand;

/// Report the true state of the mesh, read-only, with or without a fleet file
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: OutputArguments,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let format = arguments.output.output;
    let look = Look {
        wide: format == Format::Wide,
        colored: terminal.is_colored(),
    };
    let mut session = Session::of_any(&arguments.reading).await?;
    match format {
        Format::Table | Format::Wide => {
            let mut rows = Rows {
                fleet: session.file.as_ref().map(|file| file.fleet.clone()),
                terminal,
                shown: BTreeSet::new(),
                table: view::ClusterRows::new(look),
                outcome: Ok(()),
            };
            let document = report(&mut session, terminal, Some(&mut rows)).await?;
            rows.outcome?;
            let body = document.body();
            if rows.shown.is_empty() {
                terminal.answer(&view::report(body, look))?;
            } else {
                let left = body.clusters.iter();
                let left: Vec<ClusterReport> = left
                    .filter(|cluster| !rows.shown.contains(&cluster.name))
                    .cloned()
                    .collect();
                let left = rows.table.next(&left, &[]);
                terminal.answer(&(left + "\n" + &view::after_clusters(body, look)))?;
            }
            exit(body.failure())
        }
        Format::Json | Format::Yaml => {
            let document = report(&mut session, terminal, None).await?;
            terminal.document(format, &document)?;
            exit(document.body().failure())
        }
    }
}

/// Reads the clusters that the flags name, and reports.
pub async fn read(reading: &Reading, terminal: &Terminal) -> Result<Document<StatusReport>> {
    let mut session = Session::of_any(reading).await?;
    report(&mut session, terminal, None).await
}

async fn report(
    session: &mut Session,
    terminal: &Terminal,
    rows: Option<&mut dyn EarlyRows>,
) -> Result<Document<StatusReport>> {
    let inventory = session
        .collect_showing(Scope::Selected, &[Purpose::Status], terminal, rows)
        .await;
    // The whole fleet, though only the selected clusters were read: the others are no strangers.
    let fleet = session.file.as_ref().map(|file| &file.fleet);
    let root = session.file.as_ref().map(root_on_hand).transpose()?;
    let report = status::report(&inventory, fleet, root.as_ref(), Timestamp::now());
    let document = Document::new(&session.run, DocumentError::of(&inventory), report);
    // The process ends soon, and to free the objects of a thousand clusters takes longer than to print.
    std::mem::forget(inventory);
    Ok(document)
}

/// The table of the clusters, shown while some of them are still silent.
struct Rows<'terminal> {
    fleet: Option<Fleet>,
    terminal: &'terminal Terminal,
    shown: BTreeSet<String>,
    table: view::ClusterRows,
    outcome: Result<()>,
}

impl EarlyRows for Rows<'_> {
    fn show(&mut self, so_far: &Inventory, expected: &[(String, String)]) {
        let new = so_far
            .clusters
            .iter()
            .filter(|(name, _)| !self.shown.contains(name.as_str()));
        let reports = status::clusters(new, self.fleet.as_ref());
        if reports.is_empty() {
            return;
        }
        let text = self.table.next(&reports, expected);
        self.shown.extend(reports.into_iter().map(|report| report.name));
        if self.outcome.is_ok() {
            self.outcome = self.terminal.answer(&text);
        }
    }
}

fn root_on_hand(file: &FleetFile) -> Result<RootOnHand> {
    let store = RootStore::of(&file.fleet, file.folder(), &RootStore::default_directory()?);
    Ok(store.inspect(Timestamp::now()))
}

/// Says what mends the failures beside a report that was printed.
pub fn say_hints(document: &Document<StatusReport>, terminal: &Terminal) {
    let failures = document.errors().iter().filter_map(|error| {
        let mut clusters = document.body().clusters.iter();
        let cluster = clusters.find(|cluster| cluster.name == error.cluster)?;
        Some((cluster.context.as_str(), error.class, error.message.as_str()))
    });
    hints::say(failures, terminal);
}

/// The exit code of a report that was printed.
pub fn exit(failure: Option<ErrorKind>) -> Result<()> {
    failure.map_or(Ok(()), |kind| Err(Error::already_said(kind)))
}
