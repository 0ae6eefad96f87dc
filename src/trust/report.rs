//! The answer of `trust show`: what each control plane signs with, what it gives to workloads as
//! roots, and whether the one follows from the other.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::carried::{CACERTS, Carried, Plugged, PluggedState, published_roots};
use super::certificate::Certificate;
use super::chain::{RootSets, same_roots};
use super::root::{KeyOnHand, RootOnHand};
use crate::document::{Body, time};
use crate::fleet::spec::DEFAULT_SYSTEM_NAMESPACE;
use crate::fleet::{ClusterSpec, Fleet};
use crate::inventory::{ClusterInventory, Inventory, Observation};
use crate::plan::ownership::{Ownership, foreign_owner};

/// The body of a `kind: TrustReport`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustReport {
    /// The root on this machine; absent without a fleet file.
    pub on_hand: Option<OnHand>,
    /// What the fleet file pins.
    pub pins: Vec<String>,
    /// How the roots of the control planes that were seen relate: `equal`, `intersecting`,
    /// `disjoint`; absent where fewer than two show theirs.
    pub roots: Option<&'static str>,
    /// One entry a control plane, and one for each cluster without any.
    pub clusters: Vec<ClusterTrust>,
}

/// The root on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnHand {
    /// Its certificate.
    pub certificate: Option<CertificateFacts>,
    /// `absent`, `plain` or `encrypted`.
    pub key: &'static str,
    /// Why it cannot be used.
    pub problem: Option<String>,
    /// What the reader should know of it.
    pub remarks: Vec<String>,
}

/// One control plane's trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTrust {
    /// The cluster.
    pub name: String,
    /// Whether it answered.
    pub reachable: bool,
    /// Why it could not be read.
    pub error: Option<String>,
    /// The control plane's namespace.
    pub namespace: String,
    /// What it signs with: `cacerts`, `self-signed`, `other`, `none`, `unknown`.
    pub source: &'static str,
    /// Who wrote `cacerts`: `stolos`, or somebody in words.
    pub managed_by: Option<String>,
    /// The intermediate in `cacerts`.
    pub issuer: Option<CertificateFacts>,
    /// The roots in `cacerts`, or those that an istiod without it publishes or made.
    pub roots: Vec<CertificateFacts>,
    /// The roots that istiod gives to workloads (`istio-ca-root-cert` beside it); absent where they
    /// cannot be seen.
    pub published: Option<Vec<CertificateFacts>>,
    /// Whether the key in `cacerts` is its certificate's; absent where that could not be told.
    pub key_matches: Option<bool>,
    /// Whether the intermediate verifies against the roots.
    pub verifies: Option<bool>,
    /// What is wrong.
    pub problem: Option<String>,
}

/// A certificate in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateFacts {
    /// Lower-case hex SHA-256 of the DER.
    pub sha256: String,
    /// Its subject.
    pub subject: String,
    /// RFC 3339, UTC.
    pub not_before: String,
    /// RFC 3339, UTC.
    pub not_after: String,
    /// Such as `ECDSA P-256`.
    pub key_algorithm: String,
    /// Whether its key may sign revocation lists.
    pub signs_revocation_lists: bool,
}

impl Body for TrustReport {
    const KIND: &'static str = "TrustReport";
}

impl From<&Certificate> for CertificateFacts {
    fn from(certificate: &Certificate) -> Self {
        Self {
            sha256: certificate.sha256.clone(),
            subject: certificate.subject.clone(),
            not_before: time(certificate.not_before),
            not_after: time(certificate.not_after),
            key_algorithm: certificate.public_key_algorithm.clone(),
            signs_revocation_lists: certificate.may_sign_revocation_lists(),
        }
    }
}

impl From<&RootOnHand> for OnHand {
    fn from(root: &RootOnHand) -> Self {
        Self {
            certificate: root.certificate.as_ref().map(CertificateFacts::from),
            key: match root.key {
                KeyOnHand::Absent => "absent",
                KeyOnHand::Plain => "plain",
                KeyOnHand::Encrypted => "encrypted",
            },
            problem: root.problem.clone(),
            remarks: root.remarks.clone(),
        }
    }
}

/// Reports the trust of every cluster in the inventory; `fleet` and `on_hand` are there where a
/// fleet file is.
pub fn report(
    fleet: Option<&Fleet>,
    inventory: &Inventory,
    on_hand: Option<&RootOnHand>,
    now: Timestamp,
) -> TrustReport {
    let mut clusters = Vec::new();
    let mut sets = Vec::new();
    for (name, observation) in &inventory.clusters {
        let spec = fleet.and_then(|fleet| fleet.cluster(name));
        match observation {
            Observation::Unreachable { failure, .. } => {
                let namespace = spec.map_or(DEFAULT_SYSTEM_NAMESPACE, ClusterSpec::system_namespace);
                clusters.push(ClusterTrust {
                    reachable: false,
                    error: Some(failure.to_string()),
                    ..ClusterTrust::empty(name.as_str(), namespace, "unknown")
                });
            }
            Observation::Seen(cluster) => {
                for namespace in namespaces(spec, cluster) {
                    let carried = Carried::in_namespace(&namespace, cluster, now);
                    if !carried.roots().is_empty() {
                        sets.push(carried.roots().to_vec());
                    }
                    clusters.push(cluster_trust(name.as_str(), &namespace, cluster, &carried, fleet));
                }
            }
        }
    }
    TrustReport {
        on_hand: on_hand.map(OnHand::from),
        pins: fleet.map_or_else(Vec::new, |fleet| fleet.spec.trust.root_sha256.clone()),
        roots: agreement(&sets),
        clusters,
    }
}

/// The namespaces in which a control plane is, or is to be.
fn namespaces(spec: Option<&ClusterSpec>, cluster: &ClusterInventory) -> BTreeSet<String> {
    let plugged = (cluster.authorities.iter())
        .filter(|authority| {
            authority.name == CACERTS || cluster.istiods_in(&authority.namespace).next().is_some()
        })
        .map(|authority| authority.namespace.clone());
    let istiods = cluster
        .of_kind(crate::inventory::kind::DEPLOYMENT)
        .filter(|deployment| deployment.label("app") == Some("istiod"))
        .map(|deployment| deployment.namespace().to_owned());
    let mut namespaces: BTreeSet<String> = plugged.chain(istiods).collect();
    if let Some(spec) = spec {
        namespaces.insert(spec.system_namespace().to_owned());
    } else if namespaces.is_empty() {
        namespaces.insert(DEFAULT_SYSTEM_NAMESPACE.to_owned());
    }
    namespaces
}

fn cluster_trust(
    name: &str,
    namespace: &str,
    cluster: &ClusterInventory,
    carried: &Carried<'_>,
    fleet: Option<&Fleet>,
) -> ClusterTrust {
    let facts = |certificates: &[Certificate]| -> Vec<CertificateFacts> {
        certificates.iter().map(CertificateFacts::from).collect()
    };
    let published = published_roots(cluster, namespace);
    let base = |source| ClusterTrust {
        roots: facts(carried.roots()),
        published: published.as_deref().map(facts),
        ..ClusterTrust::empty(name, namespace, source)
    };
    match carried {
        Carried::Unknown => ClusterTrust {
            problem: Some("the Secrets of the namespace could not be read".to_owned()),
            ..base("unknown")
        },
        Carried::Nothing => base("none"),
        Carried::Running { self_signed, .. } => base(if *self_signed { "self-signed" } else { "other" }),
        Carried::Plugged(plugged) => ClusterTrust {
            managed_by: Some(manager(plugged, fleet)),
            issuer: plugged.intermediate.as_ref().map(CertificateFacts::from),
            key_matches: plugged.key_matches,
            verifies: Some(matches!(plugged.state, PluggedState::Good { .. })),
            problem: problem(plugged, published.as_deref()),
            ..base(if plugged.generated { "self-signed" } else { CACERTS })
        },
    }
}

fn manager(plugged: &Plugged<'_>, fleet: Option<&Fleet>) -> String {
    if plugged.generated {
        return "istiod".to_owned();
    }
    let ownership = fleet.map(|fleet| Ownership::of(plugged.secret, &fleet.metadata.name));
    match ownership {
        Some(Ownership::Ours) => "stolos".to_owned(),
        Some(Ownership::OtherFleet(fleet)) => format!("stolos (fleet {fleet})"),
        Some(Ownership::Foreign(owner)) => owner,
        None => foreign_owner(plugged.secret),
    }
}

fn problem(plugged: &Plugged<'_>, published: Option<&[Certificate]>) -> Option<String> {
    if let PluggedState::Broken(why) = &plugged.state {
        return Some(why.clone());
    }
    let published = published?;
    (same_roots(&plugged.roots, published) == RootSets::Disjoint).then(|| {
        "istiod gives workloads another root than `cacerts` holds: it was started before, and takes it at its next \
         restart"
            .to_owned()
    })
}

/// How the sets of roots relate, the worst of every pair.
fn agreement(sets: &[Vec<Certificate>]) -> Option<&'static str> {
    let mut worst = None;
    for (index, one) in sets.iter().enumerate() {
        for other in &sets[index + 1..] {
            let relation = match same_roots(one, other) {
                RootSets::Equal => (0, "equal"),
                RootSets::Intersecting => (1, "intersecting"),
                RootSets::Disjoint => (2, "disjoint"),
            };
            worst = worst.max(Some(relation));
        }
    }
    worst.map(|(_, word)| word)
}

impl ClusterTrust {
    fn empty(name: &str, namespace: &str, source: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            reachable: true,
            error: None,
            namespace: namespace.to_owned(),
            source,
            managed_by: None,
            issuer: None,
            roots: Vec::new(),
            published: None,
            key_matches: None,
            verifies: None,
            problem: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_says_what_each_object_says() {
        let pem = |name: &str| match name {
            "alpha-east" => include_str!("../../tests/plans/certificates/alpha-east.pem"),
            "alpha-west" => include_str!("../../tests/plans/certificates/alpha-west.pem"),
            "beta-east" => include_str!("../../tests/plans/certificates/beta-east.pem"),
            "alpha-root" => include_str!("../../tests/plans/certificates/alpha-root.pem"),
            _ => include_str!("../../tests/plans/certificates/gamma-root.pem"),
        };
        let cluster = |intermediate: &str, root: &str, published: &str| {
            json!({"seen": {
                "lists": {"v1/Secret": ["istio-system"]},
                "objects": [
                    {"apiVersion": "v1", "kind": "Secret",
                     "metadata": {"name": "cacerts", "namespace": "istio-system", "managedFields": [{"manager": "kubectl"}]}},
                    {"apiVersion": "v1", "kind": "ConfigMap",
                     "metadata": {"name": "istio-ca-root-cert", "namespace": "istio-system"},
                     "data": {"root-cert.pem": pem(published)}},
                ],
                "authorities": [{
                    "namespace": "istio-system", "name": "cacerts",
                    "keys": ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"],
                    "signingCertificate": pem(intermediate), "chain": pem(intermediate), "roots": pem(root),
                    "keyMatches": true,
                }],
            }})
        };
        let inventory: Inventory = serde_json::from_value(json!({"clusters": {
            "east": cluster("alpha-east", "alpha-root", "alpha-root"),
            "west": cluster("alpha-west", "alpha-root", "gamma-root"),
            "north": cluster("beta-east", "alpha-root", "alpha-root"),
            "south": {"seen": {}},
            "off": {"unreachable": {"context": "off", "failure": {
                "class": "tcp", "verb": "connect", "resource": "https://192.0.2.1", "message": "refused"}}},
        }}))
        .unwrap();
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let report = report(None, &inventory, None, now);
        assert_eq!(report.roots, Some("equal"));
        let said: Vec<(&str, &str, Option<bool>, bool)> = (report.clusters.iter())
            .map(|entry| {
                let problem = entry.problem.is_some() || entry.error.is_some();
                (entry.name.as_str(), entry.source, entry.verifies, problem)
            })
            .collect();
        assert_eq!(
            said,
            [
                ("east", "cacerts", Some(true), false),
                ("north", "cacerts", Some(false), true),
                ("off", "unknown", None, true),
                ("south", "unknown", None, true),
                ("west", "cacerts", Some(true), true),
            ]
        );
        let east = &report.clusters[0];
        assert_eq!(east.managed_by.as_deref(), Some("kubectl"));
        assert_eq!(east.published.as_ref(), Some(&east.roots));
        assert_ne!(report.clusters[4].published, Some(east.roots.clone()));
        assert_eq!(east.issuer.as_ref().unwrap().not_after, "2027-05-01T00:00:00Z");
    }
}
