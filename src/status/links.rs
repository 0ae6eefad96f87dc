//! The links: for every istiod that should read another cluster, what the Secret, the credential's
//! review and each replica say, and the state that follows: the worst of them, never one for another.

use std::collections::BTreeSet;

use super::credential;
use super::report::{LinkReport, LinkState, Observed};
use super::view::{ClusterView, View};
use crate::fleet::Role;
use crate::inventory::{ControlPlane, Fact, RemoteSecret, RemoteSecretEntry};

/// One remote secret's entry, with the Secret that it is in.
pub type Entry<'world> = (&'world RemoteSecret, &'world RemoteSecretEntry);

/// The cluster that a link reads.
pub struct Target<'view, 'world> {
    /// Its name; its ID where no cluster has it.
    pub name: &'view str,
    /// The ID that istiods know it by.
    pub cluster_id: &'view str,
    /// What was seen of it, where it was read at all.
    pub cluster: Option<&'view ClusterView<'world>>,
}

/// A state that something speaks for, and what.
pub type Verdict = (LinkState, String);

/// Every link that should be there, and every one that is there and should not be.
pub fn links(view: &View<'_>) -> Vec<LinkReport> {
    let mut links = Vec::new();
    for inside in view.clusters.iter().filter(|cluster| is_reader(view, cluster)) {
        let targets = targets(view, inside);
        for target in &targets {
            links.push(link(view, inside, target));
        }
        let known: BTreeSet<&str> = targets
            .iter()
            .map(|target| target.cluster_id)
            .chain([inside.cluster_id()])
            // Clusters of the fleet that this command was not asked to read.
            .chain(view.fleet.into_iter().flat_map(|fleet| {
                let clusters = fleet.spec.clusters.iter();
                clusters.map(|spec| spec.name.as_str())
            }))
            .collect();
        links.extend(strangers(view, inside, &known));
    }
    links
}

/// Whether an istiod in a cluster should read others. A primary of the fleet that did not answer
/// should; without a fleet file nothing is known of such a cluster.
fn is_reader(view: &View<'_>, cluster: &ClusterView<'_>) -> bool {
    match view.fleet {
        Some(_) => cluster.is_primary() || !cluster.planes().is_empty(),
        None => !cluster.planes().is_empty(),
    }
}

fn targets<'view, 'world>(
    view: &'view View<'world>,
    inside: &ClusterView<'world>,
) -> Vec<Target<'view, 'world>> {
    let is_read = |role: Option<Role>| role.is_some_and(|role| role != Role::External);
    view.clusters
        .iter()
        .filter(|cluster| cluster.name != inside.name)
        .filter(|cluster| match view.fleet {
            Some(_) => is_read(cluster.role()),
            // A cluster that did not answer is read if a remote secret says so.
            None => !cluster.planes().is_empty() || (cluster.seen.is_err() && has_entry(inside, cluster)),
        })
        .map(|cluster| Target {
            name: cluster.name.as_str(),
            cluster_id: expected_id(view, inside, cluster),
            cluster: Some(cluster),
        })
        .collect()
}

/// The ID under which a cluster's remote secret is looked for: the one that its istiod goes by; its
/// name where there is only a secret for that, or where both clusters claim the same ID.
fn expected_id<'view>(
    view: &View<'_>,
    inside: &ClusterView<'_>,
    cluster: &'view ClusterView<'_>,
) -> &'view str {
    let (own, name) = (cluster.cluster_id(), cluster.name.as_str());
    let has = |id: &str| {
        let mut planes = inside.planes().iter();
        planes.any(|plane| !entries(inside, &plane.namespace, id).is_empty())
    };
    if own == inside.cluster_id() || (!has(own) && (view.fleet.is_some() || has(name))) {
        name
    } else {
        own
    }
}

fn has_entry(inside: &ClusterView<'_>, target: &ClusterView<'_>) -> bool {
    inside
        .planes()
        .iter()
        .any(|plane| !entries(inside, &plane.namespace, target.cluster_id()).is_empty())
}

/// The entries for a cluster ID in a namespace: istiod takes the first and drops the others.
pub fn entries<'world>(
    inside: &ClusterView<'world>,
    namespace: &str,
    cluster_id: &str,
) -> Vec<Entry<'world>> {
    let secrets = inside.remote_secrets(namespace);
    secrets
        .known()
        .into_iter()
        .flatten()
        .flat_map(|secret| secret.entries.iter().map(move |entry| (*secret, entry)))
        .filter(|(_, entry)| entry.cluster_id == cluster_id)
        .collect()
}

fn link(view: &View<'_>, inside: &ClusterView<'_>, target: &Target<'_, '_>) -> LinkReport {
    let mut verdicts = Vec::new();
    let mut observed = Vec::new();
    let mut credential = None;
    let mut secret = None;
    match inside.seen {
        Err(failure) => verdicts.push((
            LinkState::Unknown,
            format!("{} could not be read: {}", inside.name, failure.message),
        )),
        Ok(_) if inside.planes().is_empty() => verdicts.push(if inside.control_planes.is_unknown() {
            (
                LinkState::Unknown,
                format!("whether {} runs an istiod could not be read", inside.name),
            )
        } else {
            (LinkState::Missing, format!("no istiod runs in {}", inside.name))
        }),
        Ok(_) => {}
    }
    for plane in inside.planes() {
        let said = plane_observed(plane, target.cluster_id);
        let secrets = inside.remote_secrets(&plane.namespace);
        let entries = entries(inside, &plane.namespace, target.cluster_id);
        let taken = taken(plane, &entries, target.cluster_id);
        if let Some(entry) = taken {
            verdicts.extend(credential::verdict(view.at, entry, target));
            credential.get_or_insert_with(|| credential::report(entry));
            secret.get_or_insert_with(|| format!("{}/{}", entry.0.namespace, entry.0.name));
        } else if secrets.is_unknown() {
            let message = format!(
                "the Secrets in {} of {} may not be read",
                plane.namespace, inside.name
            );
            verdicts.push((LinkState::Unknown, message));
        } else if said.iter().any(|observed| observed.sync_status.is_some()) {
            let message = format!(
                "istiod lists it, and no Secret in {} explains it",
                plane.namespace
            );
            verdicts.push((LinkState::Unknown, message));
        } else {
            let message = format!(
                "no remote secret for {} in {}",
                target.cluster_id, plane.namespace
            );
            verdicts.push((LinkState::Missing, message));
        }
        if taken.is_some() || secrets.is_unknown() {
            verdicts.extend(observed_verdicts(plane, &said));
        }
        observed.extend(said);
    }
    if let Some(Err(failure)) = target.cluster.map(|cluster| cluster.seen) {
        // That istiod waits for it as well says nothing more.
        verdicts.retain(|(state, _)| !matches!(state, LinkState::Timeout | LinkState::Syncing));
        let reason = format!("{} could not be read: {}", target.name, failure.message);
        verdicts.push((LinkState::Unreachable, reason));
    }
    let (state, reason) = worst(verdicts);
    LinkReport {
        inside: inside.name.to_string(),
        to: target.name.to_owned(),
        state,
        reason,
        observed,
        secret,
        credential,
    }
}

/// The worst verdict; the first of several that are equally bad.
fn worst(verdicts: Vec<Verdict>) -> Verdict {
    verdicts
        .into_iter()
        .min_by_key(|(state, _)| *state)
        .unwrap_or_else(|| (LinkState::Unknown, "nothing speaks for it".to_owned()))
}

/// The entry that istiod took: the one that a replica names, else the oldest Secret's.
fn taken<'world>(
    plane: &ControlPlane<'_>,
    entries: &[Entry<'world>],
    cluster_id: &str,
) -> Option<Entry<'world>> {
    let named = plane.replicas.iter().find_map(|replica| {
        let listed = replica
            .clusterz
            .said()?
            .iter()
            .find(|listed| listed.id == cluster_id)?;
        Some(listed.secret_name.as_str())
    });
    entries
        .iter()
        .find(|(secret, _)| named == Some(format!("{}/{}", secret.namespace, secret.name).as_str()))
        .or_else(|| entries.iter().min_by_key(|(secret, _)| &secret.created_at))
        .copied()
}

fn plane_observed(plane: &ControlPlane<'_>, cluster_id: &str) -> Vec<Observed> {
    plane
        .replicas
        .iter()
        .map(|replica| Observed {
            pod: replica.pod.clone(),
            revision: replica.revision.clone(),
            sync_status: replica
                .clusterz
                .said()
                .and_then(|clusters| {
                    // Its own cluster is listed too, without a Secret: no word about another one.
                    let is_own = plane.effective_cluster_id() == Some(cluster_id);
                    let mut listed = clusters.iter().filter(|cluster| cluster.id == cluster_id);
                    listed.find(|cluster| !is_own || !cluster.secret_name.is_empty())
                })
                .map(|cluster| cluster.sync_status.clone()),
            error: replica.clusterz.failure().map(|failure| failure.message.clone()),
        })
        .collect()
}

fn observed_verdicts(plane: &ControlPlane<'_>, observed: &[Observed]) -> Vec<Verdict> {
    if observed.is_empty() {
        let message = format!(
            "no running istiod of revision {} in {}",
            plane.revision, plane.namespace
        );
        return vec![(LinkState::Unknown, message)];
    }
    observed
        .iter()
        .map(
            |Observed {
                 pod,
                 sync_status,
                 error,
                 ..
             }| match (sync_status.as_deref(), error) {
                (_, Some(error)) => (LinkState::Unknown, format!("{pod} did not say: {error}")),
                (Some("synced"), None) => (
                    LinkState::Synced,
                    "each replica says synced, and nothing speaks against the credential".to_owned(),
                ),
                (Some("syncing"), None) => (LinkState::Syncing, format!("{pod} says syncing")),
                (Some(status @ ("timeout" | "closed")), None) => {
                    (LinkState::Timeout, format!("{pod} says {status}"))
                }
                (Some(status), None) => (LinkState::Unknown, format!("{pod} says {status:?}")),
                (None, None) => (
                    LinkState::Missing,
                    format!("{pod} does not list it, although the remote secret stands"),
                ),
            },
        )
        .collect()
}

/// Links to clusters that are not in the fleet, or, without a fleet file, that no context reached.
fn strangers(view: &View<'_>, inside: &ClusterView<'_>, known: &BTreeSet<&str>) -> Vec<LinkReport> {
    let mut ids: BTreeSet<&str> = BTreeSet::new();
    for plane in inside.planes() {
        if let Fact::Known(secrets) = inside.remote_secrets(&plane.namespace) {
            let entries = secrets.into_iter().flat_map(|secret| &secret.entries);
            ids.extend(entries.map(|entry| entry.cluster_id.as_str()));
        }
    }
    ids.retain(|id| !known.contains(id));
    ids.into_iter()
        .map(|id| {
            let target = Target {
                name: id,
                cluster_id: id,
                cluster: None,
            };
            let mut found = link(view, inside, &target);
            // `config` is the key of a kubeconfig for istiod itself, which istiod takes for a cluster
            // where the Secret is labelled.
            if view.fleet.is_some() || id == "config" {
                found.state = found.state.min(LinkState::Stale);
                if found.state == LinkState::Stale {
                    found.reason =
                        format!("there is a remote secret for {id}, and no such cluster in the fleet");
                }
            } else if found.state >= LinkState::Unknown || may_be_unread(view, id, found.state) {
                found.state = LinkState::Unknown;
                found.reason = format!("no cluster that was read goes by the ID {id}");
            }
            found
        })
        .collect()
}

/// Whether istiod waits for a cluster that may be one that did not answer here either: without a
/// fleet file, such a cluster's ID is not known.
fn may_be_unread(view: &View<'_>, id: &str, state: LinkState) -> bool {
    matches!(state, LinkState::Timeout | LinkState::Syncing) && view.may_be_unreachable(id)
}
