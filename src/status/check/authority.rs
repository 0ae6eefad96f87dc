//! Whether what each istiod signs with is whole, valid, and in use.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::reach::quoted;
use crate::document::time;
use crate::inventory::ClusterInventory;
use crate::inventory::kind::POD;
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::trust_view::{Authority, PLUGGED_IN, fingerprints, short};
use crate::status::view::{ClusterView, View};
use crate::trust::carried::CACERTS_KEYS;
use crate::trust::{Certificate, ChainError, verify_chain};

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "authority-self-signed",
        severity: Severity::Warning,
        title: "istiod signs with a root that it made itself",
        explanation: "Without a Secret `cacerts` each istiod makes its own root, and no other cluster trusts it. It \
                      cannot be shared without its key leaving the cluster.",
        hint: "`stolos trust init`, then `stolos apply`; istiod and workloads need a restart",
        restates_unread: false,
        check: self_signed,
    },
    Entry {
        code: "authority-incomplete",
        severity: Severity::Error,
        title: "The Secret cacerts is incomplete or cannot be read",
        explanation: "istiod wants ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem (or tls.crt, tls.key and \
                      ca.crt), all of them certificates and the key that fits: with a part of them it does not start.",
        hint: "issue it anew: `stolos apply`, or complete the Secret",
        restates_unread: false,
        check: incomplete,
    },
    Entry {
        code: "authority-unchained",
        severity: Severity::Error,
        title: "The signing certificate does not chain to the roots beside it",
        explanation: "istiod verifies `ca-cert.pem` against `root-cert.pem` and refuses to start with one that does \
                      not fit; workloads would not accept what it signs.",
        hint: "see the certificates: `stolos trust show`; issue a new intermediate: `stolos apply`",
        restates_unread: false,
        check: unchained,
    },
    Entry {
        code: "authority-unused",
        severity: Severity::Error,
        title: "istiod runs with another root than its Secret cacerts has",
        explanation: "istiod reads `cacerts` when it starts. One that came later is not used by an istiod that signs \
                      with its own root, and a new root is refused by one that runs: both need a restart.",
        hint: "restart it: `kubectl -n NAMESPACE rollout restart deployment istiod`",
        restates_unread: false,
        check: unused,
    },
    Entry {
        code: "authority-expired",
        severity: Severity::Error,
        title: "An authority's certificate has expired",
        explanation: "No certificate under it is accepted any more.",
        hint: "an intermediate: `stolos apply` issues a new one; a root has to be replaced",
        restates_unread: false,
        check: expired,
    },
    Entry {
        code: "authority-expiring-now",
        severity: Severity::Error,
        title: "An authority's certificate ends within seven days",
        explanation: "From then on no certificate under it is accepted.",
        hint: "an intermediate: `stolos apply` issues a new one; a root has to be replaced",
        restates_unread: false,
        check: expiring_now,
    },
    Entry {
        code: "authority-expiring",
        severity: Severity::Warning,
        title: "An authority's certificate ends within thirty days",
        explanation: "From then on no certificate under it is accepted.",
        hint: "an intermediate: `stolos apply` issues a new one; a root has to be replaced",
        restates_unread: false,
        check: expiring,
    },
    Entry {
        code: "authority-cannot-revoke",
        severity: Severity::Info,
        title: "A signing certificate may not sign revocation lists",
        explanation: "It lacks the key usage cRLSign (Istio's own `tools/certs` leave it out). istiod refuses a \
                      `cacerts` with a `ca-crl.pem` under it, so that nothing can be revoked.",
        hint: "the next intermediate: `stolos trust issue` sets it",
        restates_unread: false,
        check: cannot_revoke,
    },
];

/// Every cluster that runs an istiod, with what that signs from, where it could be read.
fn signers<'view, 'world>(
    view: &'view View<'world>,
) -> impl Iterator<Item = (&'view ClusterView<'world>, &'view Authority<'world>)> {
    view.clusters
        .iter()
        .filter(|cluster| !cluster.planes().is_empty())
        .filter_map(|cluster| Some((cluster, cluster.trust.signer()?)))
}

/// The same, of those that were placed there and not made by istiod.
fn placed<'view, 'world>(
    view: &'view View<'world>,
) -> impl Iterator<Item = (&'view ClusterView<'world>, &'view Authority<'world>)> {
    signers(view).filter(|(_, authority)| authority.is_plugged_in())
}

fn self_signed(view: &View<'_>) -> Vec<Found> {
    signers(view)
        .filter(|(_, authority)| view.clusters.len() > 1 && !authority.is_plugged_in())
        .map(|(cluster, authority)| {
            let message = format!(
                "{} was made by istiod, and there is no {PLUGGED_IN}",
                authority.called()
            );
            Found::within(cluster.name, message)
        })
        .collect()
}

fn incomplete(view: &View<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (cluster, authority) in placed(view) {
        let name = authority.called();
        let has = |wanted: &str| authority.secret.keys.iter().any(|key| key == wanted);
        let wanted: &[&str] = if has("tls.crt") || has("tls.key") {
            &["tls.crt", "tls.key", "ca.crt"]
        } else {
            &CACERTS_KEYS
        };
        let lacking: Vec<&str> = wanted.iter().copied().filter(|wanted| !has(wanted)).collect();
        if !lacking.is_empty() {
            found.push(Found::within(
                cluster.name,
                format!("{name} lacks {}", lacking.join(", ")),
            ));
        }
        if authority.secret.key_matches == Some(false) {
            let message = format!("in {name} the key does not belong to the signing certificate");
            found.push(Found::within(cluster.name, message));
        }
        for (part, error) in &authority.problems {
            let message = format!("in {name} {part} cannot be read: {error}");
            found.push(Found::within(cluster.name, message));
        }
    }
    found
}

fn unchained(view: &View<'_>) -> Vec<Found> {
    placed(view)
        .filter(|(_, authority)| !authority.roots.is_empty())
        .filter_map(|(cluster, authority)| {
            let signing = authority.signing.as_ref()?;
            let error = verify_chain(signing, &authority.chain, &authority.roots, view.at).err()?;
            // What ended has its own finding.
            (!matches!(error, ChainError::Expired { .. }))
                .then(|| Found::within(cluster.name, format!("{}: {error}", authority.called())))
        })
        .collect()
}

fn unused(view: &View<'_>) -> Vec<Found> {
    placed(view)
        .filter_map(|(cluster, authority)| {
            let served = fingerprints(cluster.trust.roots.known()?);
            let placed = fingerprints(&authority.roots);
            let (first_served, first_placed) = (served.first()?, placed.first()?);
            if placed.iter().any(|root| served.contains(root)) {
                return None;
            }
            let created: Option<Timestamp> = authority.secret.created_at.parse().ok();
            let started = first_start(cluster.seen.ok()?, &authority.secret.namespace);
            let order = match (created, started) {
                (Some(created), Some(started)) if started < created => format!(
                    ", made at {}, after istiod started at {}",
                    time(created),
                    time(started)
                ),
                _ => String::new(),
            };
            let message = format!(
                "{} has the root {}{order}; workloads are given {}",
                authority.called(),
                short(first_placed),
                short(first_served)
            );
            Some(Found::within(cluster.name, message).hint(format!(
                "restart it: `kubectl --context {} -n {} rollout restart deployment istiod`",
                quoted(cluster.context),
                authority.secret.namespace
            )))
        })
        .collect()
}

/// When the istiod that has run longest in a namespace was started.
fn first_start(inventory: &ClusterInventory, namespace: &str) -> Option<Timestamp> {
    inventory
        .of_kind(POD)
        .filter(|pod| pod.label("app") == Some("istiod") && pod.namespace() == namespace)
        .filter_map(|pod| pod.text(&["status", "startTime"]).parse().ok())
        .min()
}

/// The certificates of authorities that end within a span, but not within a shorter one, which is
/// another finding's.
fn ending(view: &View<'_>, within: SignedDuration, not_within: Option<SignedDuration>) -> Vec<Found> {
    let mut found = Vec::new();
    for cluster in &view.clusters {
        let signer = cluster.trust.signer();
        let signing = signer.and_then(|signer| signer.signing.as_ref());
        let given = cluster.trust.roots.known().into_iter().flatten();
        let placed = signer.into_iter().flat_map(|signer| &signer.roots);
        let certificates: Vec<(&str, &Certificate)> = given
            .chain(placed)
            .map(|root| ("root", root))
            .chain(signing.map(|signing| ("signing certificate", signing)))
            .collect();
        let mut seen = BTreeSet::new();
        for (what, certificate) in certificates {
            let sooner = not_within.is_some_and(|span| certificate.expires_within(span, view.at));
            if certificate.expires_within(within, view.at) && !sooner && seen.insert(&certificate.sha256) {
                let message = format!(
                    "its {what} {} ({}) ends at {}",
                    certificate.subject,
                    short(&certificate.sha256),
                    time(certificate.not_after)
                );
                found.push(Found::within(cluster.name, message));
            }
        }
    }
    found
}

const SEVEN_DAYS: SignedDuration = SignedDuration::from_hours(7 * 24);
const THIRTY_DAYS: SignedDuration = SignedDuration::from_hours(30 * 24);

fn expired(view: &View<'_>) -> Vec<Found> {
    ending(view, SignedDuration::ZERO, None)
}

fn expiring_now(view: &View<'_>) -> Vec<Found> {
    ending(view, SEVEN_DAYS, Some(SignedDuration::ZERO))
}

fn expiring(view: &View<'_>) -> Vec<Found> {
    ending(view, THIRTY_DAYS, Some(SEVEN_DAYS))
}

fn cannot_revoke(view: &View<'_>) -> Vec<Found> {
    placed(view)
        .filter_map(|(cluster, authority)| Some((cluster, authority.signing.as_ref()?)))
        .filter(|(_, signing)| !signing.may_sign_revocation_lists())
        .map(|(cluster, signing)| {
            let message = format!("{} ({}) lacks cRLSign", signing.subject, short(&signing.sha256));
            Found::within(cluster.name, message)
        })
        .collect()
}
