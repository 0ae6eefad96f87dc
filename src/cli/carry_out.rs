//! From a plan to its end: shown, consented to, run, told. Every command that changes clusters ends
//! here.

use std::path::PathBuf;

use super::args::Changing;
use super::hints;
use super::plan::{PlanFormat, blocked_kind, show, verdict};
use super::planning::Planned;
use super::session::Session;
use crate::apply::{self, Confirmed, Consent, FailedStep, Journal, Outcome, Request};
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::{Area, edit};
use crate::host::keys::{self, KeyError, RootKey};
use crate::host::sensitive::Sensitive;
use crate::inventory::FailureClass;
use crate::plan::{Action, Content, Plan, StepId};
use crate::render::Terminal;

/// Where the passphrase of the fleet's root comes from.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Trust")]
pub struct Passphrase {
    /// A file whose first line is the passphrase of the root's key; default: asked for on a terminal
    #[arg(long, value_name = "PATH")]
    pub passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// The passphrase: from the file, or asked for where somebody can answer. None: unencrypted.
    pub fn get(&self, new: bool, terminal: &Terminal) -> Result<Option<Sensitive>> {
        if let Some(path) = &self.passphrase_file {
            return Ok(Some(keys::passphrase_from_file(path)?));
        }
        if !terminal.is_interactive() {
            return Ok(None);
        }
        let question = if new {
            "Passphrase for the new root's key (empty: none)"
        } else {
            "Passphrase of the root's key"
        };
        let given = terminal.passphrase(question, new)?;
        Ok((!given.is_empty()).then(|| Sensitive::new(given)))
    }
}

/// Shows a plan, asks, runs it, and says what became of it.
pub async fn carry_out(
    session: &Session,
    planned: Planned,
    changing: &Changing,
    passphrase: &Passphrase,
    format: PlanFormat,
    terminal: &Terminal,
) -> Result<()> {
    if matches!(format, PlanFormat::HelmValues | PlanFormat::Sail) {
        let message = "print what another installer is given: only `plan` does";
        return Err(Error::new(ErrorKind::Usage, message).hint("`stolos plan -o helm-values`, or `-o sail`"));
    }
    if let Some(file) = &session.file {
        terminal.say(&format!("fleet file: {}", file.path.display()));
    }
    if changing.dry_run {
        show(&planned, session, &[], format, terminal)?;
        return verdict(&planned, false);
    }
    if planned.plan.steps.is_empty() {
        show(&planned, session, &[], format, terminal)?;
        pin(session, &planned, None, terminal)?;
        return verdict(&planned, false);
    }
    let way_is_free = blocked_kind(&planned.plan, &planned);
    terminal.say(format.text(&planned).trim_end());
    let mut failed = Vec::new();
    let result = consented(
        session,
        &planned,
        changing,
        passphrase,
        way_is_free,
        &mut failed,
        terminal,
    )
    .await;
    // The document is printed whatever happened: refused, interrupted, done in part.
    if format.document().is_some() {
        show(&planned, session, &failed, format, terminal)?;
    }
    result
}

/// Asks, runs the plan, and says what became of it; the steps that failed are added to `failed`.
async fn consented(
    session: &Session,
    planned: &Planned,
    changing: &Changing,
    passphrase: &Passphrase,
    way_is_free: Option<ErrorKind>,
    failed: &mut Vec<FailedStep>,
    terminal: &Terminal,
) -> Result<()> {
    let consent = consent(&planned.plan, changing, terminal)?;
    let (root, new_passphrase) = unlock(planned, passphrase, terminal)?;
    // What the plan stands on is written down first: a run that is killed is then taken up with it.
    pin(session, planned, None, terminal)?;
    let journal = Journal::open(
        &session.run.id,
        planned.fleet.metadata.name.as_str(),
        changing.change_ref.clone(),
        planned.users.clone(),
    );
    let clients = session
        .members
        .iter()
        .filter_map(|member| Some((member.name.clone(), member.client.as_ref().ok()?.clone())))
        .collect();
    let confirmed = Confirmed::by(consent, planned.plan.clone());
    let progress = terminal.apply_progress(confirmed.plan());
    let request = Request {
        fleet: &planned.fleet.metadata.name,
        clients,
        root_store: &planned.root_store,
        root,
        passphrase: new_passphrase,
        timeout: changing.timeout(),
        parallel: session.parallel,
    };
    let running = apply::run(&confirmed, request, &journal, |event| progress.tell(event));
    let outcome = tokio::select! {
        outcome = running => outcome,
        kind = interrupted() => {
            progress.finish();
            return Err(Error::new(kind, "apply: interrupted; some steps are done").hint("the next `stolos apply` does the rest"));
        }
    };
    progress.finish();
    for member in &session.members {
        if let Ok(client) = &member.client {
            terminal.detail(1, || format!("{}: in all {}", member.name, client.usage()));
        }
    }
    let failures = outcome.failed.iter().filter_map(|step| {
        let context = session.context_of(step.cluster.as_str())?;
        let class = step.failure.class;
        // What was waited for in vain says itself what was still missing.
        let is_refusal = step.failure.verb != Action::Wait.as_str();
        let is_the_clusters = class.may_pass() || class == FailureClass::Permission;
        (is_refusal && is_the_clusters).then_some((context, class, step.failure.message.as_str()))
    });
    hints::say(failures, terminal);
    failed.clone_from(&outcome.failed);
    pin(session, planned, outcome.made_root.as_deref(), terminal)?;
    if let Some(path) = journal.path() {
        terminal.detail(1, || format!("journal: {}", path.display()));
    }
    end(planned, &outcome, way_is_free, terminal)
}

fn consent(plan: &Plan, changing: &Changing, terminal: &Terminal) -> Result<Consent> {
    let disruptive = plan.steps.iter().filter(|step| step.disruptive).count();
    if disruptive > 0 && !changing.allow_disruption {
        return Err(Error::request(format!(
            "apply the plan: {disruptive} of its steps can interrupt what serves now, and nothing was changed"
        ))
        .hint("look at them above, then add --allow-disruption"));
    }
    if changing.yes {
        return Ok(Consent::Flag);
    }
    if !terminal.is_interactive() {
        return Err(
            Error::request("apply the plan: nobody can be asked here, and nothing was changed")
                .hint("add --yes to consent to it"),
        );
    }
    if terminal.confirm("Apply this plan?")? {
        Ok(Consent::Asked)
    } else {
        Err(Error::new(
            ErrorKind::Request,
            "apply the plan: you said no, and nothing was changed",
        ))
    }
}

/// The root, where a step signs with one that stands; the passphrase, where a step makes it.
fn unlock(
    planned: &Planned,
    passphrase: &Passphrase,
    terminal: &Terminal,
) -> Result<(Option<RootKey>, Option<Sensitive>)> {
    let any = |wanted: fn(&Content) -> bool| planned.plan.steps.iter().any(|step| wanted(&step.content));
    if any(|content| matches!(content, Content::MakeRoot)) {
        return Ok((None, passphrase.get(true, terminal)?));
    }
    if !any(|content| matches!(content, Content::IssueIntermediate(_))) {
        return Ok((None, None));
    }
    let root = planned.root_store.unlock(|| {
        passphrase
            .get(false, terminal)
            .map_err(|error| KeyFailure::Shown(Box::new(error)))
    });
    match root {
        Ok(root) => Ok((Some(root), None)),
        Err(KeyFailure::Shown(error)) => Err(*error),
        Err(KeyFailure::Key(error)) => Err(error.into()),
    }
}

/// Why a root could not be unlocked: the key's own reason, or that its passphrase was not given.
enum KeyFailure {
    Key(KeyError),
    Shown(Box<Error>),
}

impl From<KeyError> for KeyFailure {
    fn from(error: KeyError) -> Self {
        KeyFailure::Key(error)
    }
}

/// Writes into the fleet file what was learnt: each cluster's identity, and the root's fingerprint.
fn pin(session: &Session, planned: &Planned, made_root: Option<&str>, terminal: &Terminal) -> Result<()> {
    let Some(file) = &session.file else {
        return Ok(());
    };
    let on_disk = crate::host::fleet_file::load(Some(&file.path))?;
    let mut text = on_disk.text.clone();
    for (name, seen) in planned.inventory.all_seen() {
        let unpinned = on_disk
            .fleet
            .cluster(name)
            .is_some_and(|cluster| cluster.uid.is_none());
        if unpinned && !seen.uid.is_empty() {
            text = edit::set_uid(&text, name, &seen.uid)?;
        }
    }
    let trust_is_settled = !planned
        .plan
        .blocked
        .iter()
        .any(|blocked| blocked.area == Area::Trust);
    let makes_root = planned
        .plan
        .steps
        .iter()
        .any(|step| matches!(step.content, Content::MakeRoot));
    let root = match made_root {
        Some(sha256) => Some(sha256.to_owned()),
        // One that a killed run made and did not come to pin; not one that the clusters refuse.
        None if trust_is_settled && !makes_root => {
            let on_hand = planned.root_store.inspect(jiff::Timestamp::now());
            on_hand.pin_for(&on_disk.fleet).map(str::to_owned)
        }
        None => None,
    };
    if let Some(sha256) = root
        && on_disk.fleet.spec.trust.root_sha256.is_empty()
    {
        text = edit::set_root_pins(&text, &[sha256])?;
    }
    if text != on_disk.text {
        on_disk.save(&text)?;
        terminal.say(&format!(
            "pinned in {}: what the clusters and the root are",
            file.path.display()
        ));
    }
    Ok(())
}

fn end(
    planned: &Planned,
    outcome: &Outcome,
    way_is_free: Option<ErrorKind>,
    terminal: &Terminal,
) -> Result<()> {
    if outcome.failed.is_empty() && outcome.skipped == 0 {
        terminal.say(&format!("done: {} steps", outcome.done));
        return match way_is_free {
            None => Ok(()),
            Some(kind) => Err(Error::already_said(kind)),
        };
    }
    let waits_only = outcome.timed_out && outcome.failed.len() == failed_waits(planned, outcome);
    let kind = if way_is_free == Some(ErrorKind::Request) {
        ErrorKind::Request
    } else if outcome.done == 0 && !waits_only {
        ErrorKind::Unreachable
    } else if waits_only {
        ErrorKind::Differs
    } else {
        ErrorKind::Partial
    };
    let mut clusters: Vec<&str> = outcome.failed.iter().map(|step| step.cluster.as_str()).collect();
    clusters.sort_unstable();
    clusters.dedup();
    Err(Error::new(
        kind,
        format!(
            "apply: {} done, {} failed{}, {} not tried",
            outcome.done,
            outcome.failed.len(),
            if clusters.is_empty() {
                String::new()
            } else {
                format!(" in {}", clusters.join(", "))
            },
            outcome.skipped
        ),
    )
    .hint("the next `stolos apply` does the rest; `stolos status` shows what stands"))
}

fn failed_waits(planned: &Planned, outcome: &Outcome) -> usize {
    let is_wait = |id: &StepId| {
        let step = planned.plan.steps.iter().find(|step| step.id == *id);
        step.is_some_and(|step| step.action == Action::Wait)
    };
    outcome.failed.iter().filter(|step| is_wait(&step.id)).count()
}

/// Ends when the process is asked to.
async fn interrupted() -> ErrorKind {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        return tokio::select! {
            _ = tokio::signal::ctrl_c() => ErrorKind::Interrupted,
            _ = terminate.recv() => ErrorKind::Terminated,
        };
    }
    let _ = tokio::signal::ctrl_c().await;
    ErrorKind::Interrupted
}
