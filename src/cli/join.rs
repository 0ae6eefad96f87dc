//! `stolos join`

use clap::Args;
use futures::stream::{self, StreamExt};

use super::args::{Connecting, Contexts, FleetArgument, Reading};
use super::propose::{observe, verdict};
use super::session::Session;
use crate::cluster::identify;
use crate::error::{Error, Result};
use crate::fleet::propose::{Wishes, propose};
use crate::fleet::{ClusterName, NetworkName, edit};
use crate::host::fleet_file;
use crate::render::Terminal;

/// Add contexts to the fleet file, and show the difference
///
/// Only the file is changed: `stolos apply` does the rest. A context that cannot be read is added
/// as far as it is known, and the exit code is 4, or 5 where none could.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The contexts (`east`, `prod-*`)
    #[arg(value_name = "CONTEXT", required = true)]
    contexts: Vec<String>,
    /// The cluster's name in the fleet; for one context
    #[arg(long, value_name = "NAME")]
    name: Option<ClusterName>,
    /// The network that the clusters' pods are in; default: one each, by the cluster's name
    #[arg(long, value_name = "NETWORK")]
    network: Option<NetworkName>,
    /// Show the difference and stop
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    file: FleetArgument,
    #[command(flatten)]
    connecting: Connecting,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let file = fleet_file::load(arguments.file.fleet.as_deref())?;
    let joining = Contexts {
        context: arguments.contexts.clone(),
        exclude: Vec::new(),
        connecting: arguments.connecting.clone(),
    };
    let seen = observe(&joining, terminal).await?;
    if arguments.name.is_some() && seen.len() != 1 {
        return Err(Error::request(format!(
            "join: --name names one cluster, and {} contexts are to be joined",
            seen.len()
        )));
    }
    let known = unpinned(&Reading::whole(&arguments.file, &arguments.connecting), terminal).await?;
    let wishes = Wishes {
        name: arguments.name,
        network: arguments.network,
    };
    let fleet = &file.fleet;
    let proposal = propose(&seen, &fleet.metadata.name, Some(fleet), &known, &wishes)?;
    for warning in &proposal.warnings {
        terminal.warn(warning);
    }
    let mut text = file.text.clone();
    for cluster in &proposal.clusters {
        text = edit::add_cluster(&text, cluster)?;
    }
    terminal.say(&format!("fleet file {}", file.path.display()));
    terminal.answer(&difference(&file.text, &text))?;
    if !arguments.dry_run {
        file.save(&text)?;
        terminal.say("`stolos plan` shows what `stolos apply` would do");
    }
    verdict(&seen)
}

/// The clusters of the fleet that pin no UID, with the one that they have now; those that do not
/// answer are warned about, since who joins could be one of them.
async fn unpinned(reading: &Reading, terminal: &Terminal) -> Result<Vec<(ClusterName, String)>> {
    let session = Session::of_fleet(reading).await?;
    let members = session
        .members
        .iter()
        .filter(|member| member.spec.as_ref().is_some_and(|spec| spec.uid.is_none()));
    let answers: Vec<_> = stream::iter(members)
        .map(|member| async move {
            let identity = match &member.client {
                Ok(client) => identify(client).await,
                Err(failure) => Err(failure.clone()),
            };
            (member, identity.and_then(|identity| identity.uid))
        })
        .buffered(session.parallel.max(1))
        .collect()
        .await;
    let mut known = Vec::new();
    for (member, uid) in answers {
        match uid {
            Ok(uid) => known.push((member.name.clone(), uid)),
            Err(failure) => terminal.warn(&format!(
                "{} pins no UID and cannot be asked now ({failure}): whether it is one of those that join is not known",
                member.name
            )),
        }
    }
    Ok(known)
}

/// The lines that differ, as `diff -u0` shows them: beside them the file may say what is nobody else's business.
pub(super) fn difference(before: &str, after: &str) -> String {
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(0)
        .to_string()
}
