//! `stolos apply`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::args::{Changing, ClusterArgument, Reading};
use super::carry_out::{self, Passphrase};
use super::plan::{Installing, PlanOutput, blocked_kind};
use super::planning::{self, PlanRequest, Planned};
use super::session::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::{Area, ClusterName};
use crate::host::saved_plan;
use crate::plan::saved::{SavedFleet, SavedPlan};
use crate::render::Terminal;
use crate::words::some_of;

/// Make the clusters what the fleet file says: trust, mesh and links
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A plan that `plan --out` saved: exactly that is done, or nothing
    #[arg(value_name = "FILE", conflicts_with_all = ["cluster", "selector", "context", "exclude"])]
    saved: Option<PathBuf>,
    #[command(flatten)]
    whole: WholeWork,
}

/// Flags of everything that installs Istio.
#[derive(Debug, clap::Args)]
pub struct WholeWork {
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    installing: Installing,
}

/// Flags of everything that makes clusters what the fleet file says.
#[derive(Debug, clap::Args)]
pub struct Work {
    #[command(flatten)]
    cluster: ClusterArgument,
    #[command(flatten)]
    changing: Changing,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: PlanOutput,
}

/// What is to be done.
#[derive(Default)]
pub struct Task {
    /// The parts of the work.
    pub areas: &'static [Area],
    /// Where the root's passphrase comes from.
    pub passphrase: Passphrase,
    /// How Istio is installed.
    pub installing: Installing,
    /// Whether nobody waits for istiod's own word.
    pub no_wait: bool,
    /// What was approved, and the file that says so.
    pub approved: Option<(SavedPlan, PathBuf)>,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let approved = match arguments.saved {
        Some(path) => Some((saved_plan::load(&path)?, path)),
        None => None,
    };
    whole(&Area::ALL, arguments.whole, approved, terminal).await
}

/// Does what installs Istio, as `apply` and `mesh install` do; only what was `approved`, where
/// something was, by which file.
pub async fn whole(
    areas: &'static [Area],
    whole: WholeWork,
    approved: Option<(SavedPlan, PathBuf)>,
    terminal: &Terminal,
) -> Result<()> {
    let task = Task {
        areas,
        passphrase: whole.passphrase,
        installing: whole.installing,
        approved,
        ..Task::default()
    };
    some(whole.work, task, terminal).await
}

/// Does some of the fleet's work.
pub async fn some(work: Work, task: Task, terminal: &Terminal) -> Result<()> {
    let mut session = Session::of_fleet(&work.reading).await?;
    if let (Some((approved, path)), Some(file)) = (&task.approved, &session.file)
        && let Some(why) = approved.fleet.differs_from(&SavedFleet::of(&file.fleet))
    {
        return Err(changed(path, &[why]));
    }
    let clusters: BTreeSet<ClusterName> = match &task.approved {
        Some((approved, _)) => approved.clusters.clone(),
        None => session.writable(&work.cluster.cluster)?,
    };
    let request = PlanRequest {
        areas: task.areas,
        clusters,
        at_once: usize::from(task.installing.max_clusters),
        istioctl: task.installing.istioctl,
        awaits_istiod: !task.no_wait,
        adopts: match &task.approved {
            Some((approved, _)) => approved.adopts,
            None => task.installing.adopt,
        },
        changes: !work.changing.dry_run,
    };
    let planned = planning::plan(&mut session, &request, terminal).await?;
    if let Some((approved, path)) = &task.approved {
        let differing = approved.differs_from(&planned.to_save(&request.clusters));
        if !differing.is_empty() {
            return Err(what_is_in_the_way(&planned).unwrap_or_else(|| changed(path, &differing)));
        }
    }
    let format = work.output.output;
    carry_out::carry_out(
        &session,
        planned,
        &work.changing,
        &task.passphrase,
        format,
        terminal,
    )
    .await
}

/// A plan that could not be made whole is not held against another.
fn what_is_in_the_way(planned: &Planned) -> Option<Error> {
    let kind = blocked_kind(&planned.plan, planned).filter(|kind| *kind != ErrorKind::Request)?;
    let unread = planned.inventory.unreachable();
    let unread = unread.map(|(cluster, failure)| format!("{cluster}: {failure}"));
    let blocked = planned.plan.blocked.iter();
    let blocked = blocked.map(|blocked| format!("{}: {}", blocked.cluster, blocked.reason));
    let why: Vec<String> = unread.chain(blocked).collect();
    Some(
        Error::new(
            kind,
            format!(
                "apply the saved plan: whether it still is what is to be done cannot be told, and nothing was changed: {}",
                some_of(why.iter().map(String::as_str))
            ),
        )
        .hint("try again when all clusters answer"),
    )
}

/// What was approved is not what would be done.
fn changed(path: &Path, differing: &[String]) -> Error {
    let path = path.display();
    let why = some_of(differing.iter().map(String::as_str));
    Error::request(format!(
        "apply the saved plan {path}: it is not what would be done now, and nothing was changed: {why}"
    ))
    .hint(format!("`stolos plan --out {path}` plans anew"))
}
