//! `stolos leave`

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::depart::Departing;
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::{ClusterName, edit};
use crate::host::fleet_file;
use crate::leave::Choice;
use crate::render::Terminal;

/// Unlink clusters from all others, then take out what the fleet put there
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The clusters, by their names in the fleet file
    #[arg(required = true, value_name = "NAME")]
    names: Vec<ClusterName>,
    /// Only unlink: the mesh and its trust stay
    #[arg(long, conflicts_with = "crds")]
    keep_mesh: bool,
    /// Take clusters that do not answer out of the fleet file, as they are
    #[arg(long)]
    forget: bool,
    #[command(flatten)]
    departing: Departing,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let opened = arguments.departing.open().await?;
    let leaving: BTreeSet<ClusterName> = arguments.names.iter().cloned().collect();
    for name in &leaving {
        if opened.file.fleet.cluster(name).is_none() {
            return Err(Error::request(format!(
                "take {name} out of the fleet: it is not in {}",
                opened.file.path.display()
            ))
            .hint("`stolos clusters` lists them"));
        }
    }
    let choice = Choice {
        keep_mesh: arguments.keep_mesh,
        forget: arguments.forget,
        ..Choice::default()
    };
    let departing = arguments.departing;
    let departure = departing
        .plan("leave the fleet", opened, leaving, choice, terminal)
        .await?;
    let (consented, dry_run) = (departing.changing.yes, departing.changing.dry_run);
    if departure.is_empty() && !consented && !dry_run {
        // Leaving changes the fleet file even where no cluster holds anything of the fleet's.
        consent_to_forget(departure.leaving(), terminal)?;
    }
    let departed = departing.carry_out(departure, terminal).await?;
    if dry_run {
        return departed.verdict();
    }
    let stay = match arguments.forget {
        true => Vec::new(),
        false => departed.unreachable.clone(),
    };
    if departed.nobody_answered && !stay.is_empty() {
        return Err(Error::new(
            ErrorKind::Unreachable,
            "leave the fleet: no cluster gave an answer, and nothing was changed",
        )
        .hint("leave again when they answer"));
    }
    rewrite(&departed.leaving, &stay, &departed.file.path, terminal)?;
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
    if departed.peers_unread {
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
    let needed: BTreeSet<ClusterName> = stay
        .iter()
        .flat_map(|name| std::iter::successors(hangs_on(name), hangs_on))
        .collect();
    let mut going: Vec<&ClusterName> = leaving
        .iter()
        .filter(|name| !stay.contains(name) && !needed.contains(name))
        .collect();
    // Remotes of a config cluster first, then that one, then who runs its control plane.
    going.sort_by_key(|name| std::cmp::Reverse(std::iter::successors(hangs_on(name), hangs_on).count()));
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
