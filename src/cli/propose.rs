//! What `init` and `join` share: contexts are read, and become clusters of a fleet.

use crate::cli::args::Contexts;
use crate::cli::collecting::Scope;
use crate::cli::session::Session;
use crate::cluster::Purpose;
use crate::error::Result;
use crate::inventory::{Inventory, Observation};
use crate::render::Terminal;

/// Reads the contexts that the flags name, each with what it said, in the kubeconfig's order.
pub async fn observe(contexts: &Contexts, terminal: &Terminal) -> Result<Vec<(String, Observation)>> {
    let mut session = Session::of_contexts(contexts).await?;
    let inventory: Inventory = session.collect(Scope::All, Purpose::PROPOSAL, terminal).await;
    let mut clusters = inventory.clusters;
    Ok(session
        .members
        .iter()
        .filter_map(|member| Some((member.context.clone(), clusters.remove(&member.name)?)))
        .collect())
}
