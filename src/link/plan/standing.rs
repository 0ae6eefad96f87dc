//! What stands in a cluster that reads, for one that is read: nothing, ours, or somebody else's; and
//! whether it is what it should be.

use std::collections::BTreeSet;

use super::source::Source;
use crate::fleet::{Area, ClusterSpec, Fleet};
use crate::inventory::{ClusterInventory, RemoteSecret, RemoteSecretEntry, ReviewOutcome};
use crate::link::address;
use crate::link::secret::LinkSecret;
use crate::plan::Blocked;
use crate::trust::certificate;

/// What stands in a reader for one read cluster.
pub enum Standing<'input> {
    /// Nothing.
    Nothing,
    /// Our Secret, and the entry in it.
    Ours(Option<&'input RemoteSecretEntry>),
    /// Somebody else's Secret: istiod takes the first with a cluster's ID.
    Foreign(&'input RemoteSecret, &'input RemoteSecretEntry),
}

/// Looks for it, where it should be.
pub fn standing<'input>(
    fleet: &Fleet,
    seen: &'input ClusterInventory,
    namespace: &str,
    place: LinkSecret<'_>,
) -> Standing<'input> {
    let mut found = Standing::Nothing;
    let name = place.name();
    let secrets = place.seen(seen).iter();
    for remote in secrets.filter(|remote| remote.namespace == namespace) {
        let entry = remote
            .entries
            .iter()
            .find(|entry| entry.cluster_id == place.key());
        let marked = remote.managed_by_stolos && remote.fleet == fleet.metadata.name.as_str();
        // A copy under another name carries our marks too, and istiod takes the first that it sees.
        let ours = marked && remote.name == name;
        if let (false, Some(entry)) = (ours, entry) {
            return Standing::Foreign(remote, entry);
        }
        if ours {
            found = Standing::Ours(entry);
        }
    }
    found
}

/// A link that somebody else made: left alone where it works, in the way where it does not.
pub fn foreign_link(
    reader: &ClusterSpec,
    source: &Source<'_>,
    remote: &RemoteSecret,
    entry: &RemoteSecretEntry,
) -> Option<Blocked> {
    let problem = if !entry.problem.is_empty() {
        entry.problem.clone()
    } else if let ReviewOutcome::Rejected(why) = &entry.review {
        format!("its credential is refused: {why}")
    } else if entry.server.trim_end_matches('/') != source.candidate.url
        && address::is_loopback(&entry.server)
    {
        format!("its server {} is a loopback address", entry.server)
    } else {
        return None;
    };
    Some(Blocked {
        cluster: reader.name.clone(),
        area: Area::Links,
        reason: format!(
            "the link to {} is the Secret {}/{}, which is not this fleet's (written by {}), and {problem}",
            source.spec.name,
            remote.namespace,
            remote.name,
            remote.managers.join(", ")
        ),
        hint: Some(format!(
            "delete it (`kubectl --context {} -n {} delete secret {}`) and apply again",
            reader.context(),
            remote.namespace,
            remote.name
        )),
        unreachable: false,
    })
}

/// Why our remote secret is not what it should be; `None` where it is. Byte for byte it may differ:
/// identical content is never rewritten, since istiod rebuilds its view whenever the bytes change.
pub fn stale_reason(source: &Source<'_>, entry: &RemoteSecretEntry) -> Option<String> {
    if !entry.problem.is_empty() {
        return Some(entry.problem.clone());
    }
    let candidate = &source.candidate;
    if entry.server != candidate.url {
        return Some(format!(
            "it dials {}, and peers should dial {}",
            entry.server, candidate.url
        ));
    }
    if entry.tls_server_name != candidate.tls_server_name {
        return Some("its `tls-server-name` differs".to_owned());
    }
    let Some(token) = source.token else {
        return Some("its token's Secret is gone, and with it the token".to_owned());
    };
    if entry.token_sha256 != token.token_sha256 {
        return Some("its token is not the reader's of today".to_owned());
    }
    let authority = if candidate.authority.is_empty() {
        &token.authority
    } else {
        &candidate.authority
    };
    (!same_certificates(&entry.authority, authority)).then(|| "its authority differs".to_owned())
}

fn same_certificates(one: &str, other: &str) -> bool {
    let fingerprints = |pem: &str| -> Option<BTreeSet<String>> {
        let certificates = certificate::parse_bundle(pem).ok()?;
        Some(
            certificates
                .into_iter()
                .map(|certificate| certificate.sha256)
                .collect(),
        )
    };
    match (fingerprints(one), fingerprints(other)) {
        (Some(one), Some(other)) => one == other,
        // An authority that cannot be read as certificates is compared as it stands.
        _ => one.trim() == other.trim(),
    }
}
