//! The states of the links, one finding a kind of state.

use std::collections::BTreeMap;

use super::reach::quoted;
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::link_report::{LinkGroup, LinkReport};
use crate::status::link_state::LinkState;
use crate::status::told::{Bundle, FEW, Told, told};
use crate::status::view::View;
use crate::words::{SHOWN, first_of};

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "link-rejected",
        severity: Severity::Error,
        title: "A cluster refuses the credential by which a peer reads it",
        explanation: "The token in the remote secret was shown to the API server that it is meant for (TokenReview), \
                      and it does not accept it; or istiod cannot use the kubeconfig at all. istiod may still say \
                      `synced`, which only means that the first synchronisation was finished once: endpoints stay \
                      as they were then, and new ones are not seen.",
        hint: "make a new one: `stolos link sync`, or `stolos apply`",
        restates_unread: false,
        check: |view| in_state(view, LinkState::Rejected),
    },
    Entry {
        code: "link-stale",
        severity: Severity::Error,
        title: "A remote secret is for a cluster that is not there, or not what it was",
        explanation: "Its cluster is not in the fleet, or its address, authority or token no longer belong to the \
                      cluster with that name. An istiod that starts waits 30 seconds for such a cluster.",
        hint: "for a cluster that left: delete the remote secret; else `stolos link sync`",
        restates_unread: false,
        check: |view| in_state(view, LinkState::Stale),
    },
    Entry {
        code: "link-missing",
        severity: Severity::Error,
        title: "An istiod does not read a cluster of its mesh",
        explanation: "There is no remote secret for it, or istiod does not list it although there is one. Services \
                      of that cluster are not seen from here.",
        hint: "`stolos link sync`, or `stolos apply`",
        restates_unread: false,
        check: |view| in_state(view, LinkState::Missing),
    },
    Entry {
        code: "link-timeout",
        severity: Severity::Error,
        title: "An istiod gave up waiting for a cluster",
        explanation: "It could not read the cluster within PILOT_REMOTE_CLUSTER_TIMEOUT (30 seconds) and serves \
                      without it, trying on. Most often its pods cannot reach the address in the remote secret.",
        hint: "see that the API server's address can be dialled from istiod's pods (`apiServer` in the fleet file)",
        restates_unread: false,
        check: |view| in_state(view, LinkState::Timeout),
    },
    Entry {
        code: "link-unreachable",
        severity: Severity::Error,
        title: "The cluster that a link reads did not answer",
        explanation: "This machine could not read it, so that nothing can be said of the credential; what istiod \
                      said stands beside it.",
        hint: "see why the cluster does not answer; then run this again",
        restates_unread: true,
        check: unreachable,
    },
    Entry {
        code: "link-unknown",
        severity: Severity::Warning,
        title: "The state of a link could not be told",
        explanation: "Something that speaks for it or against it could not be read: the Secret, an istiod's word, \
                      the review of its credential. It is not taken to be in order.",
        hint: "read it with more permissions (`--as USER`), or name the context of the cluster that is missing",
        restates_unread: true,
        check: |view| in_state(view, LinkState::Unknown),
    },
    Entry {
        code: "link-syncing",
        severity: Severity::Warning,
        title: "An istiod is reading a cluster for the first time",
        explanation: "It is under way and should end within seconds.",
        hint: "run it again in a minute; if it stays so, see istiod's log",
        restates_unread: false,
        check: |view| in_state(view, LinkState::Syncing),
    },
];

fn in_state(view: &View<'_>, state: LinkState) -> Vec<Found> {
    // A reader that did not answer or has no istiod has its own finding, and so has `config`.
    let is_seen = |group: &LinkGroup| {
        let inside = view.cluster(view.links.name(group.inside()));
        inside.is_none_or(|inside| inside.seen.is_ok() && !inside.control_planes.is_absent())
    };
    let wanted = |group: &LinkGroup| group.facts().state == state && is_seen(group);
    let told = told(&view.links, wanted, "config");
    let found = told.iter().map(|told| match told {
        Told::One(link) => of_one(view, link),
        Told::Many(bundle) => of_many(view, bundle),
    });
    found.collect()
}

/// Readers whose istiods say the same of a cluster.
#[derive(Default)]
struct Readers {
    /// The number of what they say.
    said: usize,
    count: usize,
    /// The numbers of the first of them.
    first: Vec<u32>,
}

/// One finding for each cluster that did not answer, whoever reads it.
fn unreachable(view: &View<'_>) -> Vec<Found> {
    let links = &view.links;
    let mut words: Vec<String> = Vec::new();
    let mut targets: BTreeMap<u32, Vec<Readers>> = BTreeMap::new();
    let groups = links.groups().iter();
    for group in groups.filter(|group| group.facts().state == LinkState::Unreachable) {
        let own = said_of_it(group);
        let said = words.iter().position(|known| *known == own);
        let said = said.unwrap_or_else(|| {
            words.push(own);
            words.len() - 1
        });
        for to in group.to() {
            let all = targets.entry(to).or_default();
            let index = all.iter().position(|readers| readers.said == said);
            let index = index.unwrap_or_else(|| {
                all.push(Readers {
                    said,
                    ..Readers::default()
                });
                all.len() - 1
            });
            let readers = &mut all[index];
            readers.count += 1;
            if readers.first.len() < SHOWN {
                readers.first.push(group.inside());
            }
        }
    }
    let found = targets.into_iter().map(|(to, mut readers)| {
        if readers.iter().map(|readers| readers.count).sum::<usize>() <= FEW {
            // One by one, in order.
            readers = readers
                .iter()
                .flat_map(|readers| readers.first.iter().map(|reader| (readers.said, *reader)))
                .map(|(said, reader)| Readers {
                    said,
                    count: 1,
                    first: vec![reader],
                })
                .collect();
            readers.sort_by_key(|readers| readers.first.first().copied());
        } else {
            readers.sort_by_key(|readers| std::cmp::Reverse(readers.count));
        }
        let told = readers.iter().map(|readers| {
            let names: Vec<&str> = readers.first.iter().map(|reader| links.name(*reader)).collect();
            let who = if readers.count == 1 {
                "istiod says"
            } else {
                "istiods say"
            };
            let names = first_of(&names, readers.count);
            format!("{names} (whose {who} {} of it)", words[readers.said])
        });
        let told: Vec<String> = told.collect();
        Found::within(
            links.name(to),
            format!("nothing can be said of the credentials of {}", told.join(", ")),
        )
    });
    found.collect()
}

/// What an istiod says of a cluster that did not answer here.
fn said_of_it(group: &LinkGroup) -> String {
    let observed = group.facts().observed.iter();
    let mut said: Vec<&str> = observed
        .filter_map(|observed| observed.sync_status.as_deref())
        .collect();
    said.dedup();
    if said.is_empty() {
        "nothing".to_owned()
    } else {
        said.join(" and ")
    }
}

fn of_one(view: &View<'_>, link: &LinkReport<'_>) -> Found {
    let message = format!("{} reads {}: {}", link.inside, link.to, link.reason);
    let found = Found::within(link.inside, message);
    match hint(view, link) {
        Some(Hint::IfItLeft(command)) => found.hint(format!("if it left for good: {command}")),
        Some(Hint::Logs(command)) => found.hint(format!("see why: {command}")),
        None => found,
    }
}

fn of_many(view: &View<'_>, bundle: &Bundle<'_>) -> Found {
    let first = &bundle.first;
    let message = format!(
        "{} reads {} clusters; {}",
        first.inside,
        bundle.count,
        bundle.reasons_and_names()
    );
    let found = Found::within(first.inside, message);
    match hint(view, first) {
        Some(Hint::IfItLeft(command)) => {
            found.hint(format!("each that left for good, as {}: {command}", first.to))
        }
        Some(Hint::Logs(command)) => found.hint(format!("see why, for instance of {}: {command}", first.to)),
        None => found,
    }
}

/// What to type about one link.
enum Hint {
    /// This, if the cluster that is read is to be gone.
    IfItLeft(String),
    /// This, to see what istiod says.
    Logs(String),
}

fn hint(view: &View<'_>, link: &LinkReport<'_>) -> Option<Hint> {
    let inside = view.cluster(link.inside)?;
    let namespace = inside.system_namespaces().first().copied().unwrap_or_default();
    let context = quoted(inside.context);
    match link.state {
        LinkState::Stale if view.cluster(link.to).is_none() => {
            let secret = link.secret.unwrap_or("NAMESPACE/NAME");
            let (namespace, name) = secret.split_once('/').unwrap_or((namespace, secret));
            Some(Hint::IfItLeft(format!(
                "`kubectl --context {context} -n {namespace} delete secret {name}`"
            )))
        }
        LinkState::Timeout | LinkState::Syncing => Some(Hint::Logs(format!(
            "`kubectl --context {context} -n {namespace} logs -l app=istiod --tail=-1 | grep {}`",
            quoted(link.to)
        ))),
        _ => None,
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
