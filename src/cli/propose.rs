//! What `init` and `join` share: contexts are read, and become clusters of a fleet.

use crate::cli::args::Contexts;
use crate::cli::collecting::Scope;
use crate::cli::hints;
use crate::cli::session::Session;
use crate::cluster::Purpose;
use crate::error::{Error, ErrorKind, Result};
use crate::inventory::{Inventory, Observation};
use crate::render::Terminal;

/// Reads the contexts that the flags name, each with what it said, in the kubeconfig's order.
pub async fn observe(contexts: &Contexts, terminal: &Terminal) -> Result<Vec<(String, Observation)>> {
    let mut session = Session::of_contexts(contexts).await?;
    let inventory: Inventory = session.collect(Scope::All, Purpose::PROPOSAL, terminal).await;
    let mut clusters = inventory.clusters;
    let seen: Vec<(String, Observation)> = session
        .members
        .iter()
        .filter_map(|member| Some((member.context.clone(), clusters.remove(&member.name)?)))
        .collect();
    for (context, observation) in &seen {
        if let Observation::Seen(cluster) = observation
            && let Some(failure) = cluster.unread.first()
        {
            let more = match cluster.unread.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            terminal.warn(&format!(
                "{context:?}: not all of it could be read ({failure}{more}): look over what the file says of it"
            ));
        }
    }
    let failures = seen.iter().filter_map(|(context, observation)| {
        let failure = match observation {
            Observation::Seen(cluster) => cluster.unread.first()?,
            Observation::Unreachable { failure, .. } => failure,
        };
        Some((context.as_str(), failure.class, failure.message.as_str()))
    });
    hints::say(failures, terminal);
    Ok(seen)
}

/// The exit code of what was written of contexts: some of them, or all, may not have been read.
pub fn verdict(seen: &[(String, Observation)]) -> Result<()> {
    let unreachable =
        |(_, observation): &&(String, Observation)| matches!(observation, Observation::Unreachable { .. });
    let unread = |(_, observation): &(String, Observation)| match observation {
        Observation::Unreachable { .. } => true,
        Observation::Seen(cluster) => !cluster.unread.is_empty(),
    };
    if !seen.is_empty() && seen.iter().filter(unreachable).count() == seen.len() {
        Err(Error::already_said(ErrorKind::Unreachable))
    } else if seen.iter().any(unread) {
        Err(Error::already_said(ErrorKind::Partial))
    } else {
        Ok(())
    }
}
