//! Links put together for people: those of one reader in one state are told one by one while they
//! are few, and as one where they are more, with the reasons by how many have them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::link_report::{LinkGroup, LinkReport, Links, Reason, in_order, without};
use super::link_state::LinkState;
use crate::words::{SHOWN, first_of};

/// So many links of one reader in one state are told one by one.
pub const FEW: usize = 3;
/// So many different reasons are told.
const REASONS: usize = 3;

/// Links of one reader in one state.
#[derive(Debug)]
pub enum Told<'links> {
    /// One of a few.
    One(LinkReport<'links>),
    /// All of them, where they are more.
    Many(Bundle<'links>),
}

/// Many links of one reader in one state.
#[derive(Debug)]
pub struct Bundle<'links> {
    /// The first of them.
    pub first: LinkReport<'links>,
    /// How many they are.
    pub count: usize,
    /// The first targets' names.
    pub names: Vec<&'links str>,
    /// Why they are in their state, the commonest reason first.
    reasons: Vec<Why<'links>>,
    /// What they are links of.
    pub groups: Vec<&'links LinkGroup>,
}

/// One reason, with those that have it.
#[derive(Debug)]
struct Why<'links> {
    words: &'links str,
    count: usize,
    names: Vec<&'links str>,
}

impl Bundle<'_> {
    /// The targets, in words: so many of their names.
    pub fn some_names(&self, shown: usize) -> String {
        first_of(&self.names[..shown.min(self.names.len())], self.count)
    }

    /// The reason of all of them, or for how many each.
    pub fn reason(&self) -> String {
        match self.reasons.as_slice() {
            [all] => all.words.to_owned(),
            several => told_reasons(several, |why| format!("of {}: {}", why.count, why.words)),
        }
    }

    /// The reasons with the targets that have each.
    pub fn reasons_and_names(&self) -> String {
        let with_names = |why: &Why<'_>| format!("{} ({})", why.words, first_of(&why.names, why.count));
        match self.reasons.as_slice() {
            [all] => format!("of each: {}", with_names(all)),
            several => told_reasons(several, |why| format!("of {}: {}", why.count, with_names(why))),
        }
    }
}

fn told_reasons(reasons: &[Why<'_>], told: impl Fn(&Why<'_>) -> String) -> String {
    let (first, rest) = reasons.split_at(REASONS.min(reasons.len()));
    let mut words: Vec<String> = first.iter().map(told).collect();
    let others: usize = rest.iter().map(|why| why.count).sum();
    if others > 0 {
        words.push(format!("of {others}: something else"));
    }
    words.join("; ")
}

/// The links that are wanted, by reader, and of each reader the worst first. Targets with the name
/// `except` are left out.
pub fn told<'links>(
    links: &'links Links,
    wanted: impl Fn(&LinkGroup) -> bool,
    except: &str,
) -> Vec<Told<'links>> {
    let except: Vec<u32> = links.numbers(except).collect();
    let mut all = Vec::new();
    for reader in links.readers() {
        let mut states: BTreeMap<LinkState, Vec<&LinkGroup>> = BTreeMap::new();
        for group in reader.iter().filter(|group| wanted(group)) {
            states.entry(group.facts().state).or_default().push(group);
        }
        for groups in states.into_values() {
            let parts: Vec<(Range<u32>, &LinkGroup)> = in_order(groups.iter().copied())
                .flat_map(|(range, group)| {
                    let left = without(&[range], &except);
                    left.into_iter().map(move |range| (range, group))
                })
                .collect();
            match parts.iter().map(|(range, _)| range.len()).sum() {
                0 => {}
                count if count > FEW => all.push(Told::Many(bundle(links, &parts, count, groups))),
                _ => all.extend(reports(links, &parts).map(Told::One)),
            }
        }
    }
    all
}

fn reports<'links, 'parts>(
    links: &'links Links,
    parts: &'parts [(Range<u32>, &'links LinkGroup)],
) -> impl Iterator<Item = LinkReport<'links>> + use<'links, 'parts> {
    let each = parts
        .iter()
        .flat_map(|(range, group)| range.clone().map(move |to| (to, *group)));
    each.map(|(to, group)| links.report(group, to))
}

fn bundle<'links>(
    links: &'links Links,
    parts: &[(Range<u32>, &'links LinkGroup)],
    count: usize,
    groups: Vec<&'links LinkGroup>,
) -> Bundle<'links> {
    let mut reasons: Vec<Why<'links>> = Vec::new();
    let mut by_words: HashMap<&str, usize> = HashMap::new();
    let mut names = Vec::new();
    for (range, group) in parts {
        let words = match &group.facts().reason {
            Reason::Said(words) => words.as_ref(),
            Reason::TargetUnread => "it did not answer",
        };
        let index = *by_words.entry(words).or_insert(reasons.len());
        if index == reasons.len() {
            reasons.push(Why {
                words,
                count: 0,
                names: Vec::new(),
            });
        }
        let why = &mut reasons[index];
        why.count += range.len();
        for names in [&mut why.names, &mut names] {
            let missing = SHOWN.saturating_sub(names.len());
            names.extend(range.clone().take(missing).map(|to| links.name(to)));
        }
    }
    reasons.sort_by_key(|why| std::cmp::Reverse(why.count));
    let (range, group) = &parts[0];
    Bundle {
        first: links.report(group, range.start),
        count,
        names,
        reasons,
        groups,
    }
}

#[cfg(test)]
#[path = "told_tests.rs"]
mod tests;
