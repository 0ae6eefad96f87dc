//! Plans the links: for each ordered pair of clusters a remote secret, the reader's token that it
//! holds, and the proof, which is istiod's own synchronisation. What makes a cluster readable is
//! `source`; what stands in a cluster that reads is `standing`; what it needs is `reader`.

mod reader;
mod source;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::secret;
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::{Inventory, ObjectReference};
use crate::plan::draft::Draft;
use crate::plan::ownership::ApplySet;
use crate::plan::{Action, Blocked, Content, Plan, StepId, Warning};

/// The ordered pairs of a fleet: istiod in the first reads the second.
pub fn links(fleet: &Fleet) -> impl Iterator<Item = (&ClusterSpec, &ClusterSpec)> {
    fleet.spec.clusters.iter().flat_map(move |reader| {
        fleet
            .spec
            .clusters
            .iter()
            .filter(move |read| {
                reader.role.runs_control_planes() && read.role != Role::External && reader.name != read.name
            })
            .map(move |read| (reader, read))
    })
}

/// Plans every link of the fleet. `installing` are the clusters in which this plan's mesh steps
/// make the control plane and with it the reader's account.
pub fn plan(fleet: &Fleet, inventory: &Inventory, installing: &BTreeSet<ClusterName>) -> Plan {
    let mut plan = Plan::default();
    let mut sources = Vec::new();
    for spec in &fleet.spec.clusters {
        let read_by_somebody =
            links(fleet).any(|(reader, read)| read.name == spec.name && reader.manages(Area::Links));
        let Some(seen) = inventory.seen(&spec.name).filter(|_| read_by_somebody) else {
            continue;
        };
        match source::source(fleet, spec, seen, installing) {
            Ok((source, steps)) => {
                plan.extend(steps);
                sources.push(source);
            }
            Err(blocked) => plan.extend(*blocked),
        }
    }
    for reader in fleet
        .spec
        .clusters
        .iter()
        .filter(|spec| spec.manages(Area::Links))
    {
        let Some(seen) = inventory.seen(&reader.name) else {
            continue;
        };
        plan.extend(match reader.role {
            Role::Primary | Role::External => {
                reader::reader_plan(fleet, reader, seen, inventory, &sources, installing)
            }
            Role::Remote | Role::Config => reader::bystander_plan(fleet, reader, seen, installing),
        });
    }
    let given = |name: &ClusterName| {
        plan.steps
            .iter()
            .any(|step| matches!(&step.content, Content::RemoteSecret(content) if content.to == *name))
    };
    let warnings: Vec<Warning> = sources
        .into_iter()
        .filter(|source| given(&source.spec.name))
        .filter_map(|source| source.warning)
        .collect();
    plan.warnings.extend(warnings);
    plan
}

fn blocked(cluster: &ClusterName, reason: String, hint: Option<String>) -> Box<Plan> {
    Box::new(Plan {
        blocked: vec![Blocked {
            cluster: cluster.clone(),
            area: Area::Links,
            reason,
            hint,
            unreachable: false,
        }],
        ..Plan::default()
    })
}

/// The parent of the links' ApplySet, which both the token and the remote secrets are members of.
fn links_set(draft: &mut Draft<'_>, fleet: &Fleet, spec: &ClusterSpec, set: &ApplySet) -> Vec<StepId> {
    let member = secret::token_secret(
        &fleet.metadata.name,
        spec.system_namespace(),
        secret::READER_ACCOUNT,
    );
    let parent = set.parent(&fleet.metadata.name, &[&member]);
    let namespace = ObjectReference::new("v1", "Namespace", "", spec.system_namespace());
    let needs = [StepId::of(&spec.name, Area::Mesh, Action::Create, &namespace)];
    draft
        .object(
            parent,
            "it names the links' objects that are this fleet's",
            &needs,
        )
        .into_iter()
        .collect()
}
