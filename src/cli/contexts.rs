//! `stolos contexts`

use clap::Args;
use futures::stream::{self, StreamExt};
use serde::Serialize;

use super::args::{Contexts, OutputArguments};
use super::session::{Session, new_run};
use crate::cluster::{Identity, identify};
use crate::document::{Body, Document, DocumentError};
use crate::error::{Error, ErrorKind, Result};
use crate::host::kubeconfig::{ContextEntry, Kubeconfigs};
use crate::inventory::Failure;
use crate::render::table::table;
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
    let mut errors = Vec::new();
    let mut rows: Vec<Row> = contexts
        .into_iter()
        .map(|context| Row { context, probe: None })
        .collect();
    if arguments.probe {
        let session = Session::of_contexts(&arguments.contexts).await?;
        let answers: Vec<Result<Identity, Failure>> = stream::iter(&session.members)
            .map(|member| async move { identify(member.client.as_ref().map_err(Clone::clone)?).await })
            .buffered(session.parallel.max(1))
            .collect()
            .await;
        for (row, answer) in rows.iter_mut().zip(answers) {
            let (probe, failure) = probe(answer);
            errors.extend(failure.map(|failure| DocumentError::new(&row.context.name, &failure)));
            row.probe = Some(probe);
        }
    }
    let unreachable = rows
        .iter()
        .filter(|row| row.probe.as_ref().is_some_and(|probe| !probe.reachable))
        .count();
    let count = rows.len();
    match arguments.output.output {
        Format::Table => terminal.answer(&as_table(&rows, arguments.probe))?,
        Format::Wide => terminal.answer(&as_wide_table(&rows))?,
        format @ (Format::Json | Format::Yaml) => {
            terminal.document(
                format,
                &Document::new(&run, errors, ContextList { contexts: rows }),
            )?;
        }
    }
    match unreachable {
        0 => Ok(()),
        some if some == count => Err(Error::already_said(ErrorKind::Unreachable)),
        _ => Err(Error::already_said(ErrorKind::Partial)),
    }
}

fn probe(answer: Result<Identity, Failure>) -> (Probe, Option<Failure>) {
    match answer {
        Ok(identity) => {
            let (uid, failure) = match identity.uid {
                Ok(uid) => (uid, None),
                Err(failure) => (String::new(), Some(failure)),
            };
            let probe = Probe {
                reachable: true,
                uid,
                kubernetes: Kubernetes {
                    version: identity.kubernetes_version,
                },
                error: failure.as_ref().map(ToString::to_string).unwrap_or_default(),
            };
            (probe, failure)
        }
        Err(failure) => {
            let probe = Probe {
                reachable: false,
                uid: String::new(),
                kubernetes: Kubernetes::default(),
                error: failure.to_string(),
            };
            (probe, Some(failure))
        }
    }
}

fn current(row: &Row) -> String {
    if row.context.current { "*" } else { "" }.to_owned()
}

fn as_table(rows: &[Row], probed: bool) -> String {
    if probed {
        return table(
            ["CURRENT", "NAME", "REACHABLE", "VERSION", "UID", "ERROR"],
            rows.iter().map(|row| {
                let probe = row.probe.as_ref();
                let text = |field: fn(&Probe) -> &String| probe.map(field).cloned().unwrap_or_default();
                let reachable = probe.is_some_and(|probe| probe.reachable);
                [
                    current(row),
                    row.context.name.clone(),
                    if reachable { "yes" } else { "no" }.to_owned(),
                    text(|probe| &probe.kubernetes.version),
                    text(|probe| &probe.uid),
                    text(|probe| &probe.error),
                ]
            }),
        );
    }
    table(
        ["CURRENT", "NAME", "CLUSTER", "USER", "NAMESPACE"],
        rows.iter().map(|row| {
            let context = &row.context;
            [
                current(row),
                context.name.clone(),
                context.cluster.clone(),
                context.user.clone(),
                context.namespace.clone(),
            ]
        }),
    )
}

fn as_wide_table(rows: &[Row]) -> String {
    table(
        [
            "CURRENT",
            "NAME",
            "CLUSTER",
            "USER",
            "NAMESPACE",
            "SERVER",
            "REACHABLE",
            "VERSION",
            "UID",
        ],
        rows.iter().map(|row| {
            let context = &row.context;
            let probe = row.probe.as_ref();
            [
                current(row),
                context.name.clone(),
                context.cluster.clone(),
                context.user.clone(),
                context.namespace.clone(),
                context.server.clone(),
                probe
                    .map(|probe| if probe.reachable { "yes" } else { "no" })
                    .unwrap_or_default()
                    .to_owned(),
                probe
                    .map(|probe| probe.kubernetes.version.clone())
                    .unwrap_or_default(),
                probe.map(|probe| probe.uid.clone()).unwrap_or_default(),
            ]
        }),
    )
}
