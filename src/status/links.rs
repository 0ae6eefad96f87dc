//! The links: for every istiod that should read another cluster, what the Secret, the credential's
//! review and each replica say, and the state that follows: the worst of them, never one for another.
//!
//! Of a cluster of which a reader says nothing, the same is to be said as of all such clusters: it is
//! worked out once a reader. Only what a reader says something of is looked at one by one, so that the
//! work grows with what there is to read and not with the square of the clusters.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::credential::Acquainted;
use super::link_report::{LinkFacts, Links, Named, Reason, without};
use super::link_state::LinkState;
use super::reader::{Reader, Target};
use super::view::{ClusterView, View};
use crate::fleet::Role;

/// Every link that should be there, and every one that is there and should not be.
pub fn links(view: &View<'_>) -> Links {
    Weighing::of(view, Reader::ids).links()
}

/// All that is needed to weigh links.
struct Weighing<'view, 'world, Ids> {
    view: &'view View<'world>,
    /// The cluster IDs of which a reader says something.
    ids: Ids,
    /// The names in the fleet file.
    declared: BTreeSet<&'view str>,
    /// By the clusters' indexes.
    acquainted: Vec<Acquainted>,
    /// Clusters that answered and that every other one reads.
    answered: Vec<Range<u32>>,
    /// The same of those that did not answer.
    unread: Vec<Range<u32>>,
}

impl<'view, 'world, Ids> Weighing<'view, 'world, Ids>
where
    Ids: Fn(&Reader<'view, 'world>) -> BTreeSet<&'view str>,
{
    fn of(view: &'view View<'world>, ids: Ids) -> Self {
        let (mut answered, mut unread) = (Vec::new(), Vec::new());
        for (index, cluster) in (0_u32..).zip(&view.clusters) {
            if is_read_by_all(cluster) {
                let ranges = if cluster.seen.is_ok() {
                    &mut answered
                } else {
                    &mut unread
                };
                push(ranges, index);
            }
        }
        let declared = view.fleet.into_iter().flat_map(|fleet| &fleet.spec.clusters);
        Self {
            view,
            ids,
            declared: declared.map(|spec| spec.name.as_str()).collect(),
            acquainted: view.clusters.iter().map(|_| Acquainted::default()).collect(),
            answered,
            unread,
        }
    }

    fn links(&self) -> Links {
        let clusters = &self.view.clusters;
        let mut readers: Vec<(u32, Reader<'_, '_>, BTreeSet<&str>)> = (0_u32..)
            .zip(clusters)
            .filter(|(_, cluster)| is_reader(self.view, cluster))
            .map(|(index, cluster)| {
                let reader = Reader::of(cluster);
                let strangers = self.strangers(&reader);
                (index, reader, strangers)
            })
            .collect();
        let strangers: BTreeSet<&str> = readers
            .iter()
            .flat_map(|(_, _, strangers)| strangers)
            .copied()
            .collect();
        let strangers: Vec<&str> = strangers.into_iter().collect();
        let named = clusters.iter().map(|cluster| Named {
            name: cluster.name.to_string(),
            unread: cluster.seen.err().map(|failure| failure.message.clone()),
        });
        let unheard_of = strangers.iter().map(|id| Named {
            name: (*id).to_owned(),
            unread: None,
        });
        let mut links = Links::between(named.chain(unheard_of).collect());
        for (inside, reader, own_strangers) in &mut readers {
            let known = self.known(*inside, reader);
            for ranges in [&self.answered, &self.unread] {
                let others = without(ranges, &known);
                // One of them stands for all.
                if let Some(first) = others.first() {
                    let facts = reader.facts(self.view.at, &self.target(first.start as usize, None));
                    links.add(*inside, others, facts);
                }
            }
            for index in known.into_iter().filter(|index| index != inside) {
                let cluster = &clusters[index as usize];
                if self.is_target(reader, cluster) {
                    let id = self.expected_id(reader, cluster);
                    let target = self.target(index as usize, reader.knows(id).then_some(id));
                    let facts = reader.facts(self.view.at, &target);
                    links.add_one(*inside, index, facts);
                }
            }
            for id in own_strangers.iter() {
                if let Ok(position) = strangers.binary_search(id) {
                    let number = (clusters.len() + position) as u32;
                    links.add_one(*inside, number, self.of_stranger(reader, id));
                }
            }
        }
        links.end()
    }

    fn target(&self, index: usize, cluster_id: Option<&'view str>) -> Target<'_, 'world> {
        let cluster = &self.view.clusters[index];
        Target {
            name: cluster.name.as_str(),
            cluster_id,
            cluster: Some(cluster),
            acquainted: &self.acquainted[index],
        }
    }

    /// The indexes of the reader itself and of every cluster that it may say something of, in order.
    fn known(&self, inside: u32, reader: &Reader<'view, 'world>) -> Vec<u32> {
        let own = reader.inside.cluster_id();
        let mut known: Vec<u32> = (self.ids)(reader)
            .into_iter()
            .flat_map(|id| {
                // A cluster that claims the reader's own ID is only looked for by its name.
                let with_id = self.view.with_id(id).filter(move |_| id != own);
                with_id.chain(self.view.index(id))
            })
            .map(|index| index as u32)
            .chain([inside])
            .collect();
        known.sort_unstable();
        known.dedup();
        known
    }

    /// Whether a cluster should be read by a reader, which is another one.
    fn is_target(&self, reader: &Reader<'_, '_>, cluster: &ClusterView<'_>) -> bool {
        // One that did not answer, or that runs no istiod of its own, is read if its reader says so.
        let is_claimed = || cluster.planes().is_empty() && reader.knows(cluster.cluster_id());
        is_read_by_all(cluster) || (self.view.fleet.is_none() && is_claimed())
    }

    /// The ID under which a cluster's remote secret is looked for: the one that its istiod goes by; its
    /// name where there is only a secret for that, or where both clusters claim the same ID.
    fn expected_id<'cluster>(
        &self,
        reader: &Reader<'_, '_>,
        cluster: &'cluster ClusterView<'_>,
    ) -> &'cluster str {
        let (own, name) = (cluster.cluster_id(), cluster.name.as_str());
        let is_taken = own == reader.inside.cluster_id();
        let by_name = || !reader.has_secret(own) && (self.view.fleet.is_some() || reader.has_secret(name));
        if is_taken || by_name() { name } else { own }
    }

    /// The IDs that a reader has remote secrets for and that are neither in the fleet nor, without a
    /// fleet file, a cluster's that a context reached.
    fn strangers(&self, reader: &Reader<'_, 'world>) -> BTreeSet<&'world str> {
        let view = self.view;
        let mut ids = reader.secret_ids();
        ids.retain(|id| {
            let is_expected = |index: usize| {
                let cluster = &view.clusters[index];
                cluster.name != reader.inside.name
                    && self.is_target(reader, cluster)
                    && self.expected_id(reader, cluster) == *id
            };
            *id != reader.inside.cluster_id()
                // Clusters of the fleet are none, though this command was not asked to read them.
                && !self.declared.contains(id)
                && !view.index(id).is_some_and(is_expected)
                && !view.with_id(id).any(is_expected)
        });
        ids
    }

    /// What is to be said of a link to an ID that no cluster has.
    fn of_stranger(&self, reader: &mut Reader<'view, 'world>, id: &'world str) -> LinkFacts {
        let target = Target {
            name: id,
            cluster_id: Some(id),
            cluster: None,
            acquainted: &Acquainted::default(),
        };
        let mut facts = reader.facts(self.view.at, &target);
        let say = |words: String| Reason::Said(Cow::Owned(words));
        // `config` is the key of a kubeconfig for istiod itself, which istiod takes for a cluster
        // where the Secret is labelled.
        if self.view.fleet.is_some() || id == "config" {
            facts.state = facts.state.min(LinkState::Stale);
            if facts.state == LinkState::Stale {
                facts.reason = say(format!(
                    "there is a remote secret for {id}, and no such cluster in the fleet"
                ));
            }
        } else if facts.state >= LinkState::Unknown || self.may_be_unread(id, facts.state) {
            facts.state = LinkState::Unknown;
            facts.reason = say(format!("no cluster that was read goes by the ID {id}"));
        }
        facts
    }

    /// Whether istiod waits for a cluster that may be one that did not answer here either: without a
    /// fleet file, such a cluster's ID is not known.
    fn may_be_unread(&self, id: &str, state: LinkState) -> bool {
        matches!(state, LinkState::Timeout | LinkState::Syncing) && self.view.may_be_unreachable(id)
    }
}

/// Whether an istiod in a cluster should read others. A primary of the fleet that did not answer
/// should; without a fleet file nothing is known of such a cluster.
fn is_reader(view: &View<'_>, cluster: &ClusterView<'_>) -> bool {
    !cluster.planes().is_empty() || (view.fleet.is_some() && cluster.runs_control_planes())
}

/// Whether every istiod but its own should read a cluster.
fn is_read_by_all(cluster: &ClusterView<'_>) -> bool {
    cluster.role().is_some_and(|role| role != Role::External)
}

/// Adds an index after the others.
fn push(ranges: &mut Vec<Range<u32>>, index: u32) {
    match ranges.last_mut() {
        Some(last) if last.end == index => last.end += 1,
        _ => ranges.push(index..index + 1),
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
