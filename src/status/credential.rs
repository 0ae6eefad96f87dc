//! What speaks against a link's credential: the Secret that holds it, the review of its token by the
//! cluster that it is meant for, and whether it still fits that cluster.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::link_state::{CredentialReport, LinkState};
use super::reader::{Entry, Target, Verdict, said};
use crate::inventory::credential::CredentialKind;
use crate::inventory::kind::{CONFIG_MAP, ENDPOINT_SLICE, SECRET};
use crate::inventory::{ClusterInventory, ProbeOutcome, RemoteSecretEntry, ReviewOutcome};
use crate::trust::{Certificate, parse_bundle};

/// What credentials for a cluster are held against, worked out once for all who hold one.
#[derive(Debug, Default)]
pub struct Acquainted {
    /// `host:port` of the URLs that the cluster is known by.
    servers: OnceCell<BTreeSet<String>>,
    /// The fingerprints of the certificates that it is known to have.
    authorities: OnceCell<BTreeSet<String>>,
}

/// What speaks against a credential, if anything does.
pub fn verdict(at: Timestamp, (secret, entry): Entry<'_>, target: &Target<'_, '_>) -> Option<Verdict> {
    let name = || format!("{}/{}", secret.namespace, secret.name);
    if !entry.problem.is_empty() {
        let reason = format!("istiod cannot use {}: {}", name(), entry.problem);
        return Some(said(LinkState::Rejected, reason));
    }
    if let ReviewOutcome::Rejected(why) = &entry.review {
        let reason = format!("{} refuses the token in {}: {why}", target.name, name());
        return Some(said(LinkState::Rejected, reason));
    }
    if entry.expires_at.parse::<Timestamp>().is_ok_and(|end| end <= at) {
        let reason = format!("the credential in {} expired at {}", name(), entry.expires_at);
        return Some(said(LinkState::Rejected, reason));
    }
    let cluster = target.cluster.and_then(|cluster| cluster.seen.ok());
    // A review may still accept such a token for some seconds: the API server remembers its answers.
    if let Some(why) = cluster.and_then(|cluster| without_its_secret(entry, cluster)) {
        return Some(said(LinkState::Rejected, format!("{} {why}", name())));
    }
    if let Some(why) = cluster.and_then(|cluster| outdated(entry, cluster, target.acquainted)) {
        return Some(said(LinkState::Stale, format!("{} {why}", name())));
    }
    match (&entry.review, entry.kind) {
        (ReviewOutcome::Failed(failure), _) => Some(said(
            LinkState::Unknown,
            format!(
                "whether {} accepts the token could not be asked: {}",
                target.name, failure.message
            ),
        )),
        (ReviewOutcome::NotReviewed, CredentialKind::TokenSecret | CredentialKind::BoundToken)
            if target.cluster.is_none() || cluster.is_some() =>
        {
            let reason = format!(
                "nobody asked {} whether it accepts the token in {}",
                target.name,
                name()
            );
            Some(said(LinkState::Unknown, reason))
        }
        _ => None,
    }
}

/// Why a kubeconfig does not fit the cluster that it was made for, as far as that can be told.
fn outdated(
    entry: &RemoteSecretEntry,
    cluster: &ClusterInventory,
    acquainted: &Acquainted,
) -> Option<String> {
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
    let servers = acquainted.servers.get_or_init(|| servers(cluster));
    if servers.contains(host(&entry.server))
        && carries_another_authority(&entry.authority, cluster, acquainted)
    {
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

/// The host and port in a URL.
fn host(url: &str) -> &str {
    let rest = url.split("://").nth(1).unwrap_or(url);
    rest.trim_end_matches('/')
}

/// Where a cluster is known to be: the kubeconfig's URL, and its endpoints.
fn servers(cluster: &ClusterInventory) -> BTreeSet<String> {
    let mut servers = BTreeSet::from([host(&cluster.server).to_owned()]);
    let slices = cluster.of_kind(ENDPOINT_SLICE);
    for slice in slices.filter(|slice| slice.label("kubernetes.io/service-name") == Some("kubernetes")) {
        let ports = slice.list(&["ports"]).iter();
        let ports: Vec<u64> = ports.filter_map(|port| port["port"].as_u64()).collect();
        let endpoints = slice.list(&["endpoints"]).iter();
        let addresses = endpoints.flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten());
        for address in addresses.filter_map(|address| address.as_str()) {
            let address = if address.contains(':') {
                format!("[{address}]")
            } else {
                address.to_owned()
            };
            servers.extend(ports.iter().map(|port| format!("{address}:{port}")));
        }
    }
    servers
}

/// The certificates that a cluster is known to have, PEM.
fn authorities(cluster: &ClusterInventory) -> impl Iterator<Item = &str> {
    let root = ["kube-system", "kube-public"].map(|namespace| {
        let reference = CONFIG_MAP.reference(namespace, "kube-root-ca.crt");
        let object = cluster.object(&reference);
        object
            .map(|object| object.text(&["data", "ca.crt"]))
            .unwrap_or_default()
    });
    let tokens = cluster.token_secrets.iter().map(|token| token.authority.as_str());
    tokens.chain(root).chain([cluster.kubeconfig_authority.as_str()])
}

/// Whether none of the certificates in a kubeconfig is one that the cluster is known to have.
fn carries_another_authority(authority: &str, cluster: &ClusterInventory, acquainted: &Acquainted) -> bool {
    // The same text holds the same certificates: most kubeconfigs are told apart no further.
    if authorities(cluster).any(|known| known == authority) {
        return false;
    }
    let parse = |text: &str| parse_bundle(text).unwrap_or_default();
    let known = acquainted.authorities.get_or_init(|| {
        let known = authorities(cluster).flat_map(parse);
        known.map(|certificate: Certificate| certificate.sha256).collect()
    });
    let carried = parse(authority);
    !carried.is_empty() && !known.is_empty() && !carried.iter().any(|carried| known.contains(&carried.sha256))
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
