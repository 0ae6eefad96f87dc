//! The links as data: the contract's `links`, kept by what they share. A thousand primaries have a
//! million links, of which most have the same to be said of them: links of one reader that differ in
//! nothing but their target are kept as one group, and are taken apart one by one where they are
//! written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::link_state::{CredentialReport, LinkState, Observed};

/// Every link, by reader and then by target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    names: Vec<Named>,
    /// Those of one reader stand together.
    groups: Vec<LinkGroup>,
}

/// What links name: a cluster, or the ID of one that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Why it could not be read, where it could not.
    pub unread: Option<String>,
}

/// Links of one reader that share everything but their target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkGroup {
    inside: u32,
    /// In order, and none touches the next.
    to: Vec<Range<u32>>,
    facts: LinkFacts,
}

/// What is to be said of a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkFacts {
    /// Ours: the worst of the replicas and the credential.
    pub state: LinkState,
    /// Which it was.
    pub reason: Reason,
    /// istiod's words, one a replica.
    pub observed: Arc<[Observed]>,
    /// The remote secret, `namespace/name`, where there is one.
    pub secret: Option<String>,
    /// The credential in the remote secret.
    pub credential: Option<CredentialReport>,
}

/// Why a link is in its state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reason {
    /// In words that hold for each link of the group.
    Said(Cow<'static, str>),
    /// The target did not answer: each for a reason of its own, which stands with its name.
    TargetUnread,
}

/// istiod in one cluster reading the API server of another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkReport<'links> {
    /// The cluster whose istiod reads.
    #[serde(rename = "in")]
    pub inside: &'links str,
    /// The cluster that is read; a cluster ID where no cluster of this report has it.
    pub to: &'links str,
    /// Ours: the worst of the replicas and the credential.
    pub state: LinkState,
    /// Which it was.
    pub reason: Cow<'links, str>,
    /// istiod's words, one a replica.
    pub observed: &'links [Observed],
    /// The remote secret, `namespace/name`, where there is one.
    pub secret: Option<&'links str>,
    /// The credential in the remote secret.
    pub credential: Option<&'links CredentialReport>,
}

impl Links {
    /// No links yet, between those that are named.
    pub fn between(names: Vec<Named>) -> Gathering {
        Gathering {
            links: Self {
                names,
                groups: Vec::new(),
            },
            alike: HashMap::default(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.groups.iter().map(LinkGroup::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// How many are in a state.
    pub fn count(&self, state: LinkState) -> usize {
        let groups = self.groups.iter().filter(|group| group.facts.state == state);
        groups.map(LinkGroup::len).sum()
    }

    /// The groups; those of one reader stand together, in the readers' order.
    pub fn groups(&self) -> &[LinkGroup] {
        &self.groups
    }

    /// The groups of each reader.
    pub fn readers(&self) -> impl Iterator<Item = &[LinkGroup]> {
        self.groups.chunk_by(|one, next| one.inside == next.inside)
    }

    /// A name by the number that groups have for it.
    pub fn name(&self, number: u32) -> &str {
        self.names
            .get(number as usize)
            .map_or("", |named| named.name.as_str())
    }

    /// The numbers of those who have a name: a cluster, or an ID, or both.
    pub fn numbers<'links>(&'links self, name: &'links str) -> impl Iterator<Item = u32> + 'links {
        let named = (0_u32..).zip(&self.names);
        named
            .filter(move |(_, named)| named.name == name)
            .map(|(number, _)| number)
    }

    /// Each link by itself, by reader and then by target.
    pub fn iter(&self) -> impl Iterator<Item = LinkReport<'_>> {
        self.readers().flat_map(move |groups| {
            in_order(groups).flat_map(move |(to, group)| to.map(move |to| self.report(group, to)))
        })
    }

    /// One link of a group.
    pub fn report<'links>(&'links self, group: &'links LinkGroup, to: u32) -> LinkReport<'links> {
        let facts = &group.facts;
        LinkReport {
            inside: self.name(group.inside),
            to: self.name(to),
            state: facts.state,
            reason: match &facts.reason {
                Reason::Said(words) => Cow::Borrowed(words.as_ref()),
                Reason::TargetUnread => {
                    let why = self
                        .names
                        .get(to as usize)
                        .and_then(|named| named.unread.as_deref());
                    Cow::Owned(format!(
                        "{} could not be read: {}",
                        self.name(to),
                        why.unwrap_or_default()
                    ))
                }
            },
            observed: &facts.observed,
            secret: facts.secret.as_deref(),
            credential: facts.credential.as_ref(),
        }
    }
}

/// The targets of one reader's groups, with the group of each, in order.
pub fn in_order<'links>(
    groups: impl IntoIterator<Item = &'links LinkGroup>,
) -> impl Iterator<Item = (Range<u32>, &'links LinkGroup)> {
    let mut parts: Vec<(Range<u32>, &LinkGroup)> = groups
        .into_iter()
        .flat_map(|group| group.to.iter().map(move |range| (range.clone(), group)))
        .collect();
    parts.sort_unstable_by_key(|(range, _)| range.start);
    parts.into_iter()
}

/// Ranges without some numbers; all of them in order.
pub fn without(ranges: &[Range<u32>], numbers: &[u32]) -> Vec<Range<u32>> {
    let mut left = Vec::new();
    for range in ranges {
        let mut start = range.start;
        let first = numbers.partition_point(|number| *number < start);
        for number in numbers[first..].iter().take_while(|number| **number < range.end) {
            left.push(start..*number);
            start = number + 1;
        }
        left.push(start..range.end);
    }
    left.retain(|range| !range.is_empty());
    left
}

impl Serialize for Links {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl LinkGroup {
    /// The number of the cluster whose istiod reads.
    pub fn inside(&self) -> u32 {
        self.inside
    }

    /// The numbers of those that are read.
    pub fn to(&self) -> impl Iterator<Item = u32> {
        self.to.iter().cloned().flatten()
    }

    /// What is to be said of each.
    pub fn facts(&self) -> &LinkFacts {
        &self.facts
    }

    /// How many links it holds.
    pub fn len(&self) -> usize {
        self.to.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether it holds none, which no group does.
    pub fn is_empty(&self) -> bool {
        self.to.is_empty()
    }
}

/// Links while they are put together, reader by reader.
#[derive(Debug)]
pub struct Gathering {
    links: Links,
    /// The present reader's groups by the hash of their facts. Where two of them have the same hash,
    /// the later one is not found again, and its links are more groups than they need to be.
    alike: HashMap<u64, usize, BuildHasherDefault<DefaultHasher>>,
}

impl Gathering {
    /// Adds links of one reader; those of another may not be added to after.
    pub fn add(&mut self, inside: u32, to: impl IntoIterator<Item = Range<u32>>, facts: LinkFacts) {
        let groups = &mut self.links.groups;
        if groups.last().is_some_and(|group| group.inside != inside) {
            self.alike.clear();
        }
        let hash = self.alike.hasher().hash_one(&facts);
        let alike = self.alike.get(&hash).and_then(|index| groups.get_mut(*index));
        match alike.filter(|group| group.facts == facts) {
            Some(group) => group.to.extend(to),
            None => {
                self.alike.insert(hash, groups.len());
                groups.push(LinkGroup {
                    inside,
                    to: to.into_iter().collect(),
                    facts,
                });
            }
        }
    }

    /// Adds one link of a reader.
    pub fn add_one(&mut self, inside: u32, to: u32, facts: LinkFacts) {
        self.add(inside, std::iter::once(to..to + 1), facts);
    }

    /// All of them.
    pub fn end(mut self) -> Links {
        for group in &mut self.links.groups {
            group.to.sort_unstable_by_key(|range| range.start);
            group.to.dedup_by(|next, range| {
                let touches = range.end == next.start;
                if touches {
                    range.end = next.end;
                }
                touches
            });
            group.to.shrink_to_fit();
        }
        self.links.groups.shrink_to_fit();
        self.links
    }
}
