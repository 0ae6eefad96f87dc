//! `stolos contexts`

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use tokio::time::Instant;

use super::args::{Contexts, OutputArguments};
use super::early::{Heard, Listening, waiting_for};
use super::hints;
use super::session::{Session, new_run};
use crate::cluster::{Identity, identify};
use crate::connection::permit::clusters_at_once;
use crate::document::{Body, Document, DocumentError};
use crate::error::{Error, ErrorKind, Result};
use crate::host::kubeconfig::{ContextEntry, Kubeconfigs};
use crate::inventory::Failure;
use crate::render::table::Columns;
use crate::render::{Format, Terminal};

/// List the contexts of the kubeconfigs, as kubectl would read them
#[derive(Debug, Args)]
pub struct Arguments {
    /// Ask each context's cluster who it is (runs credential plugins)
    #[arg(long)]
    probe: bool,
    #[command(flatten)]
    contexts: Contexts,
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct ContextList {
    contexts: Vec<Row>,
}

impl Body for ContextList {
    const KIND: &'static str = "ContextList";
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(flatten)]
    context: ContextEntry,
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<Probe>,
}

/// What a cluster runs.
#[derive(Default, Serialize)]
struct Kubernetes {
    /// The API server's version; empty where it is not known.
    version: String,
}

/// What a context's cluster said of itself.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    reachable: bool,
    /// The UID of `kube-system`; empty where it is not known.
    uid: String,
    kubernetes: Kubernetes,
    /// Why something is not known; empty where nothing is missing.
    error: String,
    /// What mends it; empty where nothing is missing.
    hint: String,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let kubeconfigs = Kubeconfigs::load(arguments.contexts.connecting.kubeconfig.as_deref())?;
    let contexts = kubeconfigs.matching(&arguments.contexts.patterns())?;
    if contexts.is_empty() {
        let missing: Vec<String> = kubeconfigs
            .missing()
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        terminal.say(&match missing.as_slice() {
            [] => "the kubeconfigs have no context".to_owned(),
            missing => format!("there is no kubeconfig: {} not found", missing.join(", ")),
        });
    }
    let run = new_run();
    let format = arguments.output.output;
    let mut rows: Vec<Row> = contexts
        .into_iter()
        .map(|context| Row { context, probe: None })
        .collect();
    let mut table = ContextRows::new(format == Format::Wide, arguments.probe);
    let mut failures: Vec<(String, Failure)> = Vec::new();
    if arguments.probe {
        let session = Session::of_kubeconfigs(&kubeconfigs, &arguments.contexts).await?;
        probe_all(
            &session,
            &mut rows,
            &mut failures,
            |rows| match format {
                Format::Table | Format::Wide => terminal.answer(&table.next(rows)).map(|()| true),
                Format::Json | Format::Yaml => Ok(false),
            },
            terminal,
        )
        .await?;
    }
    match format {
        Format::Table | Format::Wide => {
            terminal.answer(&table.rest(&rows))?;
            let failures = failures.iter();
            hints::say(
                failures
                    .map(|(context, failure)| (context.as_str(), failure.class, failure.message.as_str())),
                terminal,
            );
        }
        Format::Json | Format::Yaml => {
            let errors = failures.iter();
            let errors = errors
                .map(|(name, failure)| DocumentError::new(name, failure))
                .collect();
            let unreachable = verdict(&rows);
            terminal.document(
                format,
                &Document::new(&run, errors, ContextList { contexts: rows }),
            )?;
            return unreachable;
        }
    }
    verdict(&rows)
}

fn verdict(rows: &[Row]) -> Result<()> {
    let unreachable = rows
        .iter()
        .filter(|row| row.probe.as_ref().is_some_and(|probe| !probe.reachable))
        .count();
    match unreachable {
        0 => Ok(()),
        some if some == rows.len() => Err(Error::already_said(ErrorKind::Unreachable)),
        _ => Err(Error::already_said(ErrorKind::Partial)),
    }
}

/// Asks each context's cluster who it is. `show` is given all rows while silent clusters are still
/// being waited for, and says whether it shows any.
async fn probe_all(
    session: &Session,
    rows: &mut [Row],
    failures: &mut Vec<(String, Failure)>,
    mut show: impl FnMut(&[Row]) -> Result<bool>,
    terminal: &Terminal,
) -> Result<()> {
    let begun = Instant::now();
    let mut listening = Listening::begin();
    let mut said = false;
    let mut answers = stream::iter(session.members.iter().enumerate())
        .map(|(index, member)| async move {
            let begun = Instant::now();
            let answer = match &member.client {
                Ok(client) => {
                    let answer = identify(client).await;
                    // It is asked nothing more, and there may be very many.
                    client.let_go();
                    answer
                }
                Err(failure) => Err(failure.clone()),
            };
            (index, answer, begun.elapsed())
        })
        .buffer_unordered(session.parallel.clamp(1, clusters_at_once(1)));
    let mut failed = BTreeMap::new();
    while let Some(heard) = listening.hear(answers.next()).await {
        match heard {
            Heard::News((index, answer, took)) => {
                let (probe, failure) = probed(answer, &rows[index].context.name);
                terminal.detail(1, || {
                    let (name, millis) = (&rows[index].context.name, took.as_millis());
                    match &failure {
                        Some(failure) => format!("{name}: {failure}, after {millis} ms"),
                        None => format!("{name}: answered in {millis} ms"),
                    }
                });
                failed.extend(failure.map(|failure| (index, failure)));
                rows[index].probe = Some(probe);
            }
            Heard::Quiet => {
                if show(rows)? && !said {
                    let silent = rows.iter().filter(|row| row.probe.is_none());
                    let silent = silent.map(|row| row.context.name.as_str());
                    let at_most = session.request_timeout.saturating_sub(begun.elapsed());
                    terminal.say(&waiting_for(silent, at_most));
                    said = true;
                }
            }
        }
    }
    failures.extend(
        failed
            .into_iter()
            .map(|(index, failure)| (rows[index].context.name.clone(), failure)),
    );
    Ok(())
}

fn probed(answer: Result<Identity, Failure>, context: &str) -> (Probe, Option<Failure>) {
    let (identity, failure) = match answer {
        Ok(identity) => (Some(identity.kubernetes_version), identity.uid),
        Err(failure) => (None, Err(failure)),
    };
    let (uid, failure) = match failure {
        Ok(uid) => (uid, None),
        Err(failure) => (String::new(), Some(failure)),
    };
    let probe = Probe {
        reachable: identity.is_some(),
        uid,
        kubernetes: Kubernetes {
            version: identity.unwrap_or_default(),
        },
        error: failure.as_ref().map(ToString::to_string).unwrap_or_default(),
        hint: failure
            .as_ref()
            .map(|failure| failure.hint(context))
            .unwrap_or_default(),
    };
    (probe, failure)
}

/// The table of the contexts, which is shown whole where all clusters answer promptly, and in parts
/// where some are waited for.
struct ContextRows {
    wide: bool,
    probed: bool,
    shown: BTreeSet<usize>,
    columns: Option<Columns<10>>,
}

/// Where a row's cell does not depend on what its cluster says.
const KNOWN_AHEAD: usize = 6;

const HEADER: [&str; 10] = [
    "CURRENT",
    "NAME",
    "CLUSTER",
    "USER",
    "NAMESPACE",
    "SERVER",
    "REACHABLE",
    "VERSION",
    "UID",
    "ERROR",
];

impl ContextRows {
    fn new(wide: bool, probed: bool) -> Self {
        Self {
            wide,
            probed,
            shown: BTreeSet::new(),
            columns: None,
        }
    }

    /// The rows of those who have answered since the last time.
    fn next(&mut self, rows: &[Row]) -> String {
        let new: Vec<usize> = (0..rows.len())
            .filter(|index| rows[*index].probe.is_some() && !self.shown.contains(index))
            .collect();
        let mut text = String::new();
        let columns = self.columns.take().unwrap_or_else(|| {
            let ahead = rows.iter().map(|row| {
                let mut cells = cells(row);
                if row.probe.is_none() {
                    cells[KNOWN_AHEAD..].iter_mut().for_each(String::clear);
                }
                cells
            });
            let ahead: Vec<_> = ahead.collect();
            let columns = Columns::of(&HEADER, &ahead);
            text.push_str(&columns.some(&HEADER, |column| self.is_shown(column)));
            columns
        });
        for index in &new {
            text.push_str(&columns.some(&cells(&rows[*index]), |column| self.is_shown(column)));
        }
        self.columns = Some(columns);
        self.shown.extend(new);
        text
    }

    /// What has not been shown yet.
    fn rest(&mut self, rows: &[Row]) -> String {
        if self.columns.is_some() {
            return self.next(rows);
        }
        let all: Vec<_> = rows.iter().map(cells).collect();
        let columns = Columns::of(&HEADER, &all);
        std::iter::once(columns.some(&HEADER, |column| self.is_shown(column)))
            .chain(
                all.iter()
                    .map(|row| columns.some(row, |column| self.is_shown(column))),
            )
            .collect()
    }

    fn is_shown(&self, column: usize) -> bool {
        match HEADER[column] {
            "CURRENT" | "NAME" => true,
            "CLUSTER" | "USER" | "NAMESPACE" => self.wide || !self.probed,
            "SERVER" => self.wide,
            _ => self.wide || self.probed,
        }
    }
}

fn cells(row: &Row) -> [String; 10] {
    let context = &row.context;
    let probe = row.probe.as_ref();
    let text = |field: fn(&Probe) -> &String| probe.map(field).cloned().unwrap_or_default();
    let reachable = probe.map(|probe| if probe.reachable { "yes" } else { "no" });
    [
        if context.current { "*" } else { "" }.to_owned(),
        context.name.clone(),
        context.cluster.clone(),
        context.user.clone(),
        context.namespace.clone(),
        context.server.clone(),
        reachable.unwrap_or_default().to_owned(),
        text(|probe| &probe.kubernetes.version),
        text(|probe| &probe.uid),
        text(|probe| &probe.error),
    ]
}
