//! Whether the clusters' workloads trust each other.

use std::collections::BTreeMap;

use super::identity::few_kinds;
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::trust_view::{ROOT_CONFIG_MAP, fingerprints, short};
use crate::status::view::View;
use crate::trust::KeyOnHand;
use crate::words::some_of;

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "roots-disjoint",
        severity: Severity::Error,
        title: "Clusters trust different roots",
        explanation: "What istiod gives to workloads as roots (the ConfigMap istio-ca-root-cert) has no certificate \
                      in common between them: every call across fails its TLS handshake.",
        hint: "give each an intermediate of one root: `stolos trust init`, `stolos apply`",
        restates_unread: false,
        check: disjoint,
    },
    Entry {
        code: "roots-differ",
        severity: Severity::Warning,
        title: "Clusters trust different sets of roots, with some in common",
        explanation: "A rotation of the root looks like this while it is under way. It works as long as the root that \
                      each cluster's intermediate comes from is in every cluster's set.",
        hint: "finish the rotation: every cluster the same roots",
        restates_unread: false,
        check: differ,
    },
    Entry {
        code: "root-not-pinned",
        severity: Severity::Error,
        title: "A cluster trusts a root that the fleet file does not pin",
        explanation: "`spec.trust.rootSha256` says which roots the fleet accepts, and workloads in the cluster are \
                      given another.",
        hint: "see both: `stolos trust show`",
        restates_unread: false,
        check: not_pinned,
    },
    Entry {
        code: "root-copy-differs",
        severity: Severity::Error,
        title: "A namespace has other roots than the system namespace",
        explanation: "istiod copies its roots into every namespace as the ConfigMap istio-ca-root-cert. A namespace \
                      whose copy has other certificates was not reached by a change of the root: its workloads \
                      refuse the others, or are refused.",
        hint: "see istiod's log for the namespace; deleting the ConfigMap makes istiod write it anew",
        restates_unread: false,
        check: copy_differs,
    },
    Entry {
        code: "root-key-unencrypted",
        severity: Severity::Warning,
        title: "The root's key lies unencrypted on this machine",
        explanation: "Whoever can read the file can sign for the whole mesh. With a passphrase the key is encrypted \
                      where it lies and only read to sign an intermediate.",
        hint: "encrypt it: `openssl pkcs8 -topk8 -in KEY -out KEY.new`, and put that in its place",
        restates_unread: false,
        check: key_unencrypted,
    },
];

fn key_unencrypted(view: &View<'_>) -> Vec<Found> {
    let found = view.root.filter(|root| root.key == KeyOnHand::Plain).map(|root| {
        let certificate = root.certificate.as_ref();
        let name = certificate.map_or_else(String::new, |root| format!(" {}", short(&root.sha256)));
        Found::between(format!(
            "the key of the root{name} lies on this machine without a passphrase"
        ))
    });
    found.into_iter().collect()
}

/// Sets of roots, with the clusters whose workloads are given each.
type Groups<'view> = BTreeMap<Vec<&'view str>, Vec<&'view str>>;

fn groups<'view>(view: &'view View<'_>) -> Groups<'view> {
    let mut groups = Groups::new();
    for cluster in &view.clusters {
        if let Some(roots) = cluster.trust.roots.known().filter(|roots| !roots.is_empty()) {
            groups
                .entry(fingerprints(roots))
                .or_default()
                .push(cluster.name.as_str());
        }
    }
    groups
}

fn has_disjoint(groups: &Groups<'_>) -> bool {
    groups.keys().any(|one| {
        groups
            .keys()
            .any(|other| !one.iter().any(|root| other.contains(root)))
    })
}

fn listed(groups: &Groups<'_>) -> Found {
    Found::between(few_kinds(groups, |roots, clusters| {
        let roots: Vec<&str> = roots.iter().map(|root| short(root)).collect();
        let clusters = some_of(clusters.iter().copied());
        format!("workloads in {clusters} trust {}", roots.join(" and "))
    }))
}

fn disjoint(view: &View<'_>) -> Vec<Found> {
    let groups = groups(view);
    let found = has_disjoint(&groups).then(|| listed(&groups));
    found.into_iter().collect()
}

fn differ(view: &View<'_>) -> Vec<Found> {
    let groups = groups(view);
    let found = (groups.len() > 1 && !has_disjoint(&groups)).then(|| listed(&groups));
    found.into_iter().collect()
}

fn not_pinned(view: &View<'_>) -> Vec<Found> {
    let pins = view.fleet.map_or(&[][..], |fleet| &fleet.spec.trust.root_sha256);
    let is_pinned = |root: &str| pins.iter().any(|pin| pin.eq_ignore_ascii_case(root));
    view.clusters
        .iter()
        .filter(|_| !pins.is_empty())
        .filter_map(|cluster| Some((cluster, fingerprints(cluster.trust.roots.known()?))))
        .filter_map(|(cluster, roots)| {
            let strange: Vec<&str> = roots.into_iter().filter(|root| !is_pinned(root)).collect();
            let message = format!(
                "its workloads trust {}, the fleet pins {}",
                strange.join(", "),
                pins.join(", ")
            );
            (!strange.is_empty()).then(|| Found::within(cluster.name, message))
        })
        .collect()
}

fn copy_differs(view: &View<'_>) -> Vec<Found> {
    view.clusters
        .iter()
        .filter(|cluster| !cluster.trust.differing_copies.is_empty())
        .map(|cluster| {
            let namespaces = &cluster.trust.differing_copies;
            let namespaces = some_of(namespaces.iter().map(String::as_str));
            let message = format!("ConfigMap {ROOT_CONFIG_MAP} differs in {namespaces}");
            Found::within(cluster.name, message)
        })
        .collect()
}
