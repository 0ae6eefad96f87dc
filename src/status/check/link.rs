//! The states of the links, one finding a kind of state.

use std::collections::BTreeMap;

use super::reach::quoted;
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::report::{LinkReport, LinkState};
use crate::status::view::View;

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
    view.links
        .iter()
        .filter(|link| link.state == state)
        // A reader that did not answer or has no istiod has its own finding, and so has `config`.
        .filter(|link| {
            let inside = view.cluster(&link.inside);
            inside.is_none_or(|inside| inside.seen.is_ok() && !inside.control_planes.is_absent())
        })
        .filter(|link| link.to != "config")
        .map(|link| found(view, link))
        .collect()
}

/// One finding for each cluster that did not answer, whoever reads it.
fn unreachable(view: &View<'_>) -> Vec<Found> {
    let mut readers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for link in view
        .links
        .iter()
        .filter(|link| link.state == LinkState::Unreachable)
    {
        let mut said: Vec<&str> = link
            .observed
            .iter()
            .filter_map(|observed| observed.sync_status.as_deref())
            .collect();
        said.dedup();
        let said = if said.is_empty() {
            "nothing".to_owned()
        } else {
            said.join(" and ")
        };
        let reader = format!("{} (whose istiod says {said} of it)", link.inside);
        readers.entry(&link.to).or_default().push(reader);
    }
    readers
        .into_iter()
        .map(|(to, readers)| {
            let readers = readers.join(", ");
            Found::within(to, format!("nothing can be said of the credentials of {readers}"))
        })
        .collect()
}

fn found(view: &View<'_>, link: &LinkReport) -> Found {
    let message = format!("{} reads {}: {}", link.inside, link.to, link.reason);
    let found = Found::within(&link.inside, message);
    let Some(inside) = view.cluster(&link.inside) else {
        return found;
    };
    let namespace = inside.system_namespaces().first().copied().unwrap_or_default();
    let context = quoted(inside.context);
    match link.state {
        LinkState::Stale if view.cluster(&link.to).is_none() => {
            let secret = link.secret.as_deref().unwrap_or("NAMESPACE/NAME");
            let (namespace, name) = secret.split_once('/').unwrap_or((namespace, secret));
            found.hint(format!(
                "if it left for good: `kubectl --context {context} -n {namespace} delete secret {name}`"
            ))
        }
        LinkState::Timeout | LinkState::Syncing => found.hint(format!(
            "see why: `kubectl --context {context} -n {namespace} logs -l app=istiod --tail=-1 | grep {}`",
            quoted(&link.to)
        )),
        _ => found,
    }
}
