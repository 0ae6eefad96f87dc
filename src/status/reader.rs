//! A reader: what lies in the namespaces of its istiods and what these list, sorted by cluster ID, so
//! that what it says of a cluster is found without looking through what it says of all others.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::credential::{self, Acquainted};
use super::link_report::{LinkFacts, Reason};
use super::link_state::{LinkState, Observed};
use super::view::ClusterView;
use crate::inventory::control_plane::istiod_from_before;
use crate::inventory::{ClusterzEntry, ControlPlane, RemoteSecret, RemoteSecretEntry};

/// One remote secret's entry, with the Secret that it is in.
pub type Entry<'world> = (&'world RemoteSecret, &'world RemoteSecretEntry);

/// A state that something speaks for, and what.
pub type Verdict = (LinkState, Reason);

/// The cluster that a link reads.
pub struct Target<'view, 'world> {
    /// Its name; its ID where no cluster has it.
    pub name: &'view str,
    /// The ID under which the reader says something of it; absent where it says nothing.
    pub cluster_id: Option<&'view str>,
    /// What was seen of it, where it was read at all.
    pub cluster: Option<&'view ClusterView<'world>>,
    /// What is worked out of that once for all its readers.
    pub acquainted: &'view Acquainted,
}

/// A cluster whose istiods read others.
pub struct Reader<'view, 'world> {
    /// The cluster.
    pub inside: &'view ClusterView<'world>,
    planes: Vec<Plane<'view, 'world>>,
    /// What its replicas say of a cluster, by their words: most links have the same.
    observed: BTreeMap<Vec<Option<&'world str>>, Arc<[Observed]>>,
}

/// One of its control planes.
struct Plane<'view, 'world> {
    plane: &'view ControlPlane<'world>,
    are_secrets_unknown: bool,
    /// By what it reads the cluster whose ID it goes by, where that is not the one that it runs in.
    configuration: Option<Entry<'world>>,
    /// Of the remote secrets in its namespace, by cluster ID and then as they were listed.
    entries: Vec<Entry<'world>>,
    /// What each replica lists, by cluster ID and then as it does.
    listed: Vec<Vec<&'world ClusterzEntry>>,
}

impl<'view, 'world> Reader<'view, 'world> {
    /// The reader that a cluster is.
    pub fn of(inside: &'view ClusterView<'world>) -> Self {
        let planes = inside.planes().iter().map(|plane| {
            let secrets = inside.remote_secrets(&plane.namespace);
            let known = secrets.known().into_iter().flatten();
            let mut entries: Vec<Entry<'world>> = known
                .flat_map(|secret| secret.entries.iter().map(move |entry| (*secret, entry)))
                .collect();
            entries.sort_by_key(|(_, entry)| entry.cluster_id.as_str());
            let listed = plane.replicas.iter().map(|replica| {
                let said = replica.clusterz.said().into_iter().flatten();
                let mut listed: Vec<&ClusterzEntry> = said.collect();
                listed.sort_by_key(|listed| listed.id.as_str());
                listed
            });
            Plane {
                plane,
                are_secrets_unknown: secrets.is_unknown(),
                configuration: inside.configuration(&plane.namespace),
                entries,
                listed: listed.collect(),
            }
        });
        Self {
            inside,
            planes: planes.collect(),
            observed: BTreeMap::new(),
        }
    }

    /// The cluster IDs that it has remote secrets for.
    pub fn secret_ids(&self) -> BTreeSet<&'world str> {
        let entries = self.planes.iter().flat_map(|plane| &plane.entries);
        entries.map(|(_, entry)| entry.cluster_id.as_str()).collect()
    }

    /// The cluster IDs that it says anything of.
    pub fn ids(&self) -> BTreeSet<&'world str> {
        let mut ids = self.secret_ids();
        let listed = self.planes.iter().flat_map(|plane| &plane.listed).flatten();
        ids.extend(listed.map(|listed| listed.id.as_str()));
        ids
    }

    /// Whether it has a remote secret for a cluster ID.
    pub fn has_secret(&self, id: &str) -> bool {
        self.planes
            .iter()
            .any(|plane| !plane.entries(Some(id)).is_empty())
    }

    /// Whether it says anything of a cluster ID.
    pub fn knows(&self, id: &str) -> bool {
        self.has_secret(id)
            || self
                .planes
                .iter()
                .flat_map(|plane| &plane.listed)
                .any(|listed| !with_id(listed, Some(id), |listed| &listed.id).is_empty())
    }

    /// What is to be said of its link to a target.
    pub fn facts(&mut self, at: Timestamp, target: &Target<'_, 'world>) -> LinkFacts {
        let mut verdicts = Vec::new();
        let mut heard = Vec::new();
        let mut credential = None;
        let mut secret = None;
        verdicts.extend(without_istiod(self.inside));
        for plane in &self.planes {
            let statuses = plane.statuses(target.cluster_id);
            let taken = plane.taken(target.cluster_id);
            if let Some(entry) = taken {
                verdicts.extend(credential::verdict(at, entry, target));
                credential.get_or_insert_with(|| credential::report(entry));
                secret.get_or_insert_with(|| format!("{}/{}", entry.0.namespace, entry.0.name));
            } else {
                verdicts.push(plane.without_secret(self.inside, target, &statuses));
            }
            if taken.is_some() || plane.are_secrets_unknown {
                verdicts.extend(plane.verdicts(&statuses));
            }
            if plane.is_own(target.cluster_id) {
                verdicts.extend(plane.begun_before(self.inside));
            }
            heard.extend(statuses);
        }
        if target.cluster.is_some_and(|cluster| cluster.seen.is_err()) {
            // That istiod waits for it as well says nothing more.
            verdicts.retain(|(state, _)| !matches!(state, LinkState::Timeout | LinkState::Syncing));
            verdicts.push((LinkState::Unreachable, Reason::TargetUnread));
        }
        let (state, reason) = worst(verdicts);
        LinkFacts {
            state,
            reason,
            observed: self.observed(heard),
            secret,
            credential,
        }
    }

    /// Each replica's word, of what each of them says.
    fn observed(&mut self, heard: Vec<Option<&'world str>>) -> Arc<[Observed]> {
        let planes = &self.planes;
        let observed = self.observed.entry(heard);
        let heard = observed.key().clone();
        let observed = observed.or_insert_with(|| {
            let replicas = planes.iter().flat_map(|plane| &plane.plane.replicas);
            let observed = replicas.zip(heard).map(|(replica, status)| Observed {
                pod: replica.pod.clone(),
                revision: replica.revision.clone(),
                sync_status: status.map(str::to_owned),
                error: replica.clusterz.failure().map(|failure| failure.message.clone()),
            });
            observed.collect()
        });
        Arc::clone(observed)
    }
}

impl<'world> Plane<'_, 'world> {
    /// The entries for a cluster ID: istiod takes the first and drops the others.
    fn entries(&self, id: Option<&str>) -> &[Entry<'world>] {
        with_id(&self.entries, id, |(_, entry)| &entry.cluster_id)
    }

    fn is_own(&self, id: Option<&str>) -> bool {
        id.is_some() && self.plane.effective_cluster_id() == id
    }

    /// What follows where an istiod started before what leads it to its configuration was written.
    fn begun_before(&self, inside: &ClusterView<'_>) -> Option<Verdict> {
        let (secret, _) = self.configuration?;
        let pod = istiod_from_before(inside.seen.ok()?, &secret.namespace, &secret.written_at)?;
        let message = format!(
            "{} started before {}/{} was written, and reads it when it starts: restart it",
            pod.name(),
            secret.namespace,
            secret.name
        );
        Some(said(LinkState::Stale, message))
    }

    /// What each replica says of a cluster; nothing where it does not list it.
    fn statuses(&self, id: Option<&str>) -> Vec<Option<&'world str>> {
        // Its own cluster is listed too, without a Secret: no word about another one.
        let is_own = self.is_own(id) && self.configuration.is_none();
        let status = |listed: &Vec<&'world ClusterzEntry>| {
            let mut listed = with_id(listed, id, |listed| &listed.id).iter();
            let listed = listed.find(|listed| !is_own || !listed.secret_name.is_empty())?;
            Some(listed.sync_status.as_str())
        };
        self.listed.iter().map(status).collect()
    }

    /// The entry that istiod took: the one that a replica names, else the oldest Secret's.
    fn taken(&self, id: Option<&str>) -> Option<Entry<'world>> {
        if self.is_own(id) && self.configuration.is_some() {
            return self.configuration;
        }
        let entries = self.entries(id);
        let named = || {
            let listed = self.listed.iter();
            let mut named = listed.filter_map(|listed| with_id(listed, id, |listed| &listed.id).first());
            let (namespace, name) = named.next()?.secret_name.split_once('/')?;
            entries
                .iter()
                .find(|(secret, _)| secret.namespace == namespace && secret.name == name)
        };
        let oldest = || entries.iter().min_by_key(|(secret, _)| &secret.created_at);
        if entries.is_empty() {
            None
        } else {
            named().or_else(oldest).copied()
        }
    }

    /// What follows from there being no entry.
    fn without_secret(
        &self,
        inside: &ClusterView<'_>,
        target: &Target<'_, '_>,
        statuses: &[Option<&str>],
    ) -> Verdict {
        let namespace = &self.plane.namespace;
        if self.are_secrets_unknown {
            let message = format!("the Secrets in {namespace} of {} may not be read", inside.name);
            said(LinkState::Unknown, message)
        } else if statuses.iter().any(Option::is_some) {
            let message = format!("istiod lists it, and no Secret in {namespace} explains it");
            said(LinkState::Unknown, message)
        } else {
            let id = target.cluster_id.filter(|id| *id != target.name);
            let message = format!("no remote secret for {} in {namespace}", id.unwrap_or("it"));
            said(LinkState::Missing, message)
        }
    }

    /// What follows from the replicas' words.
    fn verdicts(&self, statuses: &[Option<&str>]) -> Vec<Verdict> {
        if statuses.is_empty() {
            let (revision, namespace) = (&self.plane.revision, &self.plane.namespace);
            let message = format!("no running istiod of revision {revision} in {namespace}");
            return vec![said(LinkState::Unknown, message)];
        }
        let replicas = self.plane.replicas.iter().zip(statuses);
        let verdict = |pod: &str, status: Option<&str>| match status {
            Some("synced") => said(
                LinkState::Synced,
                "each replica says synced, and nothing speaks against the credential",
            ),
            Some("syncing") => said(LinkState::Syncing, format!("{pod} says syncing")),
            Some(status @ ("timeout" | "closed")) => said(LinkState::Timeout, format!("{pod} says {status}")),
            Some(status) => said(LinkState::Unknown, format!("{pod} says {status:?}")),
            None => said(
                LinkState::Missing,
                format!("{pod} does not list it, although the remote secret stands"),
            ),
        };
        replicas
            .map(|(replica, status)| match replica.clusterz.failure() {
                Some(failure) => said(
                    LinkState::Unknown,
                    format!("{} did not say: {}", replica.pod, failure.message),
                ),
                None => verdict(&replica.pod, *status),
            })
            .collect()
    }
}

/// Those of a list, sorted by cluster ID, that have an ID.
fn with_id<'list, Item>(
    sorted: &'list [Item],
    id: Option<&str>,
    id_of: impl Fn(&Item) -> &str,
) -> &'list [Item] {
    let Some(id) = id else {
        return &[];
    };
    let first = sorted.partition_point(|item| id_of(item) < id);
    let rest = &sorted[first..];
    &rest[..rest.iter().take_while(|item| id_of(item) == id).count()]
}

/// A verdict in words.
pub fn said(state: LinkState, words: impl Into<Cow<'static, str>>) -> Verdict {
    (state, Reason::Said(words.into()))
}

/// What follows for all links of a reader in which no istiod was seen.
fn without_istiod(inside: &ClusterView<'_>) -> Option<Verdict> {
    match inside.seen {
        Err(failure) => Some(said(
            LinkState::Unknown,
            format!("{} could not be read: {}", inside.name, failure.message),
        )),
        Ok(_) if !inside.planes().is_empty() => None,
        Ok(_) if inside.control_planes.is_unknown() => Some(said(
            LinkState::Unknown,
            format!("whether {} runs an istiod could not be read", inside.name),
        )),
        Ok(_) => Some(said(
            LinkState::Missing,
            format!("no istiod runs in {}", inside.name),
        )),
    }
}

/// The worst verdict; the first of several that are equally bad.
fn worst(verdicts: Vec<Verdict>) -> Verdict {
    verdicts
        .into_iter()
        .min_by_key(|(state, _)| *state)
        .unwrap_or_else(|| said(LinkState::Unknown, "nothing speaks for it"))
}
