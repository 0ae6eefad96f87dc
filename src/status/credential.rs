//! What speaks against a link's credential: the Secret that holds it, the review of its token by the
//! cluster that it is meant for, and whether it still fits that cluster.

use jiff::Timestamp;

use super::links::{Entry, Target, Verdict};
use super::report::{CredentialReport, LinkState};
use crate::inventory::credential::CredentialKind;
use crate::inventory::kind::{CONFIG_MAP, ENDPOINT_SLICE, SECRET};
use crate::inventory::{ClusterInventory, ObjectReference, ProbeOutcome, RemoteSecretEntry, ReviewOutcome};
use crate::trust::{Certificate, parse_bundle};

/// What speaks against a credential, if anything does.
pub fn verdict(at: Timestamp, (secret, entry): Entry<'_>, target: &Target<'_, '_>) -> Option<Verdict> {
    let name = format!("{}/{}", secret.namespace, secret.name);
    if !entry.problem.is_empty() {
        return Some((
            LinkState::Rejected,
            format!("istiod cannot use {name}: {}", entry.problem),
        ));
    }
    if let ReviewOutcome::Rejected(why) = &entry.review {
        let reason = format!("{} refuses the token in {name}: {why}", target.name);
        return Some((LinkState::Rejected, reason));
    }
    if entry.expires_at.parse::<Timestamp>().is_ok_and(|end| end <= at) {
        let reason = format!("the credential in {name} expired at {}", entry.expires_at);
        return Some((LinkState::Rejected, reason));
    }
    let cluster = target.cluster.and_then(|cluster| cluster.seen.ok());
    // A review may still accept such a token for some seconds: the API server remembers its answers.
    if let Some(why) = cluster.and_then(|cluster| without_its_secret(entry, cluster)) {
        return Some((LinkState::Rejected, format!("{name} {why}")));
    }
    if let Some(why) = cluster.and_then(|cluster| outdated(entry, cluster)) {
        return Some((LinkState::Stale, format!("{name} {why}")));
    }
    match (&entry.review, entry.kind) {
        (ReviewOutcome::Failed(failure), _) => Some((
            LinkState::Unknown,
            format!(
                "whether {} accepts the token could not be asked: {}",
                target.name, failure.message
            ),
        )),
        (ReviewOutcome::NotReviewed, CredentialKind::TokenSecret | CredentialKind::BoundToken)
            if target.cluster.is_none() || cluster.is_some() =>
        {
            Some((
                LinkState::Unknown,
                format!(
                    "nobody asked {} whether it accepts the token in {name}",
                    target.name
                ),
            ))
        }
        _ => None,
    }
}

/// Why a kubeconfig does not fit the cluster that it was made for, as far as that can be told.
fn outdated(entry: &RemoteSecretEntry, cluster: &ClusterInventory) -> Option<String> {
    let probe = cluster.probes.iter().find(|probe| probe.url == entry.server);
    match probe.map(|probe| &probe.outcome) {
        Some(ProbeOutcome::AnotherCluster(uid)) => {
            return Some(format!(
                "points at {}, which is another cluster ({uid})",
                entry.server
            ));
        }
        Some(ProbeOutcome::AnotherAuthority(_)) => {
            return Some(format!(
                "points at {}, which another authority signed",
                entry.server
            ));
        }
        _ => {}
    }
    if is_own_server(&entry.server, cluster) && carries_another_authority(&entry.authority, cluster) {
        return Some("carries another authority than the cluster's".to_owned());
    }
    None
}

/// Why a token that lived in a Secret is void: that Secret no longer stands (Kubernetes: the token
/// authenticator looks it up).
fn without_its_secret(entry: &RemoteSecretEntry, cluster: &ClusterInventory) -> Option<String> {
    let namespace = entry.claimed_subject.split(':').nth(2)?;
    let gone = entry.kind == CredentialKind::TokenSecret
        && cluster.was_listed(SECRET.api_version, SECRET.kind, namespace)
        && !cluster
            .token_secrets
            .iter()
            .any(|token| token.token_sha256 == entry.token_sha256);
    gone.then(|| format!("holds a token whose Secret no longer stands in {namespace}"))
}

/// Whether a URL is one that the cluster is known by: the kubeconfig's, or that of its endpoints.
fn is_own_server(server: &str, cluster: &ClusterInventory) -> bool {
    let host = |url: &str| {
        let rest = url.split("://").nth(1).unwrap_or(url);
        rest.trim_end_matches('/').to_owned()
    };
    let slices = cluster.of_kind(ENDPOINT_SLICE);
    let endpoints = slices.filter(|slice| slice.label("kubernetes.io/service-name") == Some("kubernetes"));
    let own = endpoints.flat_map(|slice| {
        let ports: Vec<u64> = slice
            .list(&["ports"])
            .iter()
            .filter_map(|port| port["port"].as_u64())
            .collect();
        let addresses = slice.list(&["endpoints"]).iter().flat_map(|endpoint| {
            let addresses = endpoint["addresses"].as_array().into_iter().flatten();
            addresses
                .filter_map(|address| address.as_str().map(str::to_owned))
                .collect::<Vec<_>>()
        });
        addresses
            .flat_map(|address| {
                let address = if address.contains(':') {
                    format!("[{address}]")
                } else {
                    address
                };
                ports
                    .iter()
                    .map(move |port| format!("{address}:{port}"))
                    .collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    });
    own.chain([host(&cluster.server)]).any(|own| own == host(server))
}

/// Whether none of the certificates in a kubeconfig is one that the cluster is known to have.
fn carries_another_authority(authority: &str, cluster: &ClusterInventory) -> bool {
    let parse = |text: &str| parse_bundle(text).unwrap_or_default();
    let carried = parse(authority);
    let root = ["kube-system", "kube-public"].map(|namespace| {
        let reference = ObjectReference::new(
            CONFIG_MAP.api_version,
            CONFIG_MAP.kind,
            namespace,
            "kube-root-ca.crt",
        );
        let object = cluster.object(&reference);
        object
            .map(|object| object.text(&["data", "ca.crt"]))
            .unwrap_or_default()
    });
    let tokens = cluster.token_secrets.iter().map(|token| token.authority.as_str());
    let known: Vec<Certificate> = tokens
        .chain(root)
        .chain([cluster.kubeconfig_authority.as_str()])
        .flat_map(parse)
        .collect();
    !carried.is_empty()
        && !known.is_empty()
        && !carried
            .iter()
            .any(|carried| known.iter().any(|known| known.sha256 == carried.sha256))
}

/// The credential in short.
pub fn report((secret, entry): Entry<'_>) -> CredentialReport {
    let stated = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    CredentialReport {
        kind: entry.kind,
        created_at: stated(&secret.created_at),
        expires_at: stated(&entry.expires_at),
    }
}
