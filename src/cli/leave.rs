//! `stolos leave`

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::args::{Changing, Connecting, FleetArgument, Reading};
use super::carry_out::{self, Passphrase};
use super::collecting::Scope;
use super::plan::PlanOutput;
use super::planning::{Planned, acting_users, refuse_twins, refuse_unproven};
use super::session::Session;
use crate::cluster::{Purpose, namespace_contents};
use crate::document::{Document, DocumentError};
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::{ClusterName, edit};
use crate::host::fleet_file;
use crate::host::keys::RootStore;
use crate::inventory::{Inventory, Observation};
use crate::leave::{self, Choice, Leaving};
use crate::plan::document::PlanDocument;
use crate::render::Terminal;

/// Unlink clusters from all others, then take out what the fleet put there
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The clusters, by their names in the fleet file
    #[arg(required = true, value_name = "NAME")]
    names: Vec<ClusterName>,
    /// Only unlink: the mesh and its trust stay
    #[arg(long)]
    keep_mesh: bool,
    /// Take clusters that do not answer out of the fleet file, as they are
    #[arg(long)]
    forget: bool,
    #[command(flatten)]
    changing: Changing,
    #[command(flatten)]
    file: FleetArgument,
    #[command(flatten)]
    connecting: Connecting,
    #[command(flatten)]
    output: PlanOutput,
}

pub async fn run(mut arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let mut session = Session::of_fleet(&Reading::whole(&arguments.file, &arguments.connecting)).await?;
    let Some(file) = session.file.clone() else {
        return Err(Error::request("leave the fleet: there is no fleet file"));
    };
    let leaving: BTreeSet<ClusterName> = arguments.names.iter().cloned().collect();
    for name in &leaving {
        if file.fleet.cluster(name).is_none() {
            return Err(Error::request(format!(
                "take {name} out of the fleet: it is not in {}",
                file.path.display()
            ))
            .hint("`stolos clusters` lists them"));
        }
    }
    let mut inventory = session.collect(Scope::All, Purpose::LEAVING, terminal).await;
    refuse_twins(&inventory)?;
    refuse_unproven(&file.fleet, &mut inventory);
    read_contents(&session, &leaving, &mut inventory).await;
    let choice = Choice {
        keep_mesh: arguments.keep_mesh,
        allow_disruption: arguments.changing.allow_disruption,
        forget: arguments.forget,
    };
    let going = leave::plan(&file.fleet, &inventory, &leaving, choice);
    if going.plan.blocked.iter().any(|blocked| !blocked.unreachable) {
        terminal.say(crate::plan::text::text(&going.plan).trim_end());
        if let Some(format) = arguments.output.output.document() {
            let errors = DocumentError::of(&inventory);
            let document = Document::new(&session.run, errors, PlanDocument::from(&going.plan));
            terminal.document(format, &document)?;
        }
        return Err(Error::request(
            "leave the fleet: see what is in the way above; nothing was changed",
        ));
    }
    if going.plan.steps.is_empty() && !arguments.changing.yes && !arguments.changing.dry_run {
        // Leaving changes the fleet file even where no cluster holds anything of the fleet's.
        consent_to_forget(&leaving, terminal)?;
    }
    let Leaving {
        plan,
        remains,
        unreachable,
    } = going;
    let peers_unread = plan
        .blocked
        .iter()
        .any(|blocked| !leaving.contains(&blocked.cluster));
    let dry_run = arguments.changing.dry_run;
    let planned = Planned {
        root_store: RootStore::of(&file.fleet, file.folder(), &RootStore::default_directory()?),
        fleet: file.fleet.clone(),
        inventory,
        plan,
        users: acting_users(&session, !dry_run).await,
    };
    // Leaving is its own consent to what it deletes; the plan is shown and asked for all the same.
    arguments.changing.allow_disruption = true;
    let carried = carry_out::carry_out(
        &session,
        planned,
        &arguments.changing,
        &Passphrase::default(),
        arguments.output.output,
        terminal,
    )
    .await;
    for left in &remains {
        terminal.say(&format!("{}: {}", left.cluster, left.what));
    }
    let nobody_answered = match carried {
        Ok(()) => false,
        // Which clusters gave no answer is judged below: one that is forgotten need not answer.
        Err(error) if error.message.is_empty() => error.kind == ErrorKind::Unreachable,
        Err(error) => return Err(error),
    };
    if dry_run {
        return match (nobody_answered, peers_unread || !unreachable.is_empty()) {
            (true, _) => Err(Error::already_said(ErrorKind::Unreachable)),
            (false, true) => Err(Error::already_said(ErrorKind::Partial)),
            (false, false) => Ok(()),
        };
    }
    let stay = if arguments.forget { Vec::new() } else { unreachable };
    if nobody_answered && !stay.is_empty() {
        return Err(Error::new(
            ErrorKind::Unreachable,
            "leave the fleet: no cluster gave an answer, and nothing was changed",
        )
        .hint("leave again when they answer"));
    }
    rewrite(&leaving, &stay, &file.path, terminal)?;
    if !stay.is_empty() {
        let names: Vec<&str> = stay.iter().map(ClusterName::as_str).collect();
        return Err(Error::new(
            ErrorKind::Partial,
            format!(
                "{} gave no answer: its peers are unlinked, and it stays in the fleet file",
                names.join(", ")
            ),
        )
        .hint("leave again when it answers, or add --forget to take it out of the file as it is"));
    }
    if peers_unread {
        Err(Error::already_said(ErrorKind::Partial))
    } else {
        Ok(())
    }
}

fn consent_to_forget(leaving: &BTreeSet<ClusterName>, terminal: &Terminal) -> Result<()> {
    let names: Vec<&str> = leaving.iter().map(ClusterName::as_str).collect();
    if !terminal.is_interactive() {
        return Err(
            Error::request("leave the fleet: nobody can be asked here, and nothing was changed")
                .hint("add --yes to consent to it"),
        );
    }
    if terminal.confirm(&format!("Take {} out of the fleet file?", names.join(", ")))? {
        Ok(())
    } else {
        Err(Error::request(
            "leave the fleet: you said no, and nothing was changed",
        ))
    }
}

/// What else is in the namespaces that could go.
async fn read_contents(session: &Session, leaving: &BTreeSet<ClusterName>, inventory: &mut Inventory) {
    for member in session
        .members
        .iter()
        .filter(|member| leaving.contains(&member.name))
    {
        let (Ok(client), Some(spec)) = (&member.client, &member.spec) else {
            continue;
        };
        if let Some(Observation::Seen(seen)) = inventory.clusters.get_mut(&member.name) {
            seen.system_namespace_contents = namespace_contents(client, spec.system_namespace()).await.ok();
        }
    }
}

fn rewrite(
    leaving: &BTreeSet<ClusterName>,
    stay: &[ClusterName],
    path: &std::path::Path,
    terminal: &Terminal,
) -> Result<()> {
    let mut file = fleet_file::load(Some(path))?;
    let hangs_on = |name: &ClusterName| {
        let cluster = file.fleet.cluster(name);
        cluster.and_then(|cluster| cluster.primary.clone().or(cluster.control_plane.clone()))
    };
    // A file without the primary of a remote that is in it is none.
    let needed: BTreeSet<ClusterName> = stay.iter().filter_map(hangs_on).collect();
    let mut going: Vec<&ClusterName> = leaving
        .iter()
        .filter(|name| !stay.contains(name) && !needed.contains(name))
        .collect();
    going.sort_by_key(|name| hangs_on(name).is_none());
    for name in going {
        let text = edit::remove_cluster(&file.text, name)?;
        file = file.save(&text)?;
        terminal.say(&format!(
            "{name} is out of {} ({})",
            path.display(),
            Timestamp::now().strftime("%F")
        ));
    }
    Ok(())
}
