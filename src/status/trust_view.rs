//! Whom a cluster's workloads trust and who signs for them, read from what lies in it. Each part
//! says where it comes from: a ConfigMap is what workloads are given, a Secret is what istiod reads.

use super::bundles::Bundles;
use crate::inventory::kind::CONFIG_MAP;
use crate::inventory::{AuthoritySecret, ClusterInventory, Fact, Object, Presence};
use crate::trust::{Certificate, CertificateError, parse_bundle};

/// The ConfigMap in which istiod gives the roots to every namespace.
pub const ROOT_CONFIG_MAP: &str = "istio-ca-root-cert";
/// The Secret of a plugged-in authority.
pub const PLUGGED_IN: &str = "cacerts";

/// A cluster's trust.
#[derive(Debug, Default)]
pub struct Trust<'world> {
    /// The roots in the system namespace's ConfigMap, which workloads are given.
    pub roots: Fact<Vec<Certificate>>,
    /// The same ConfigMap's copies in other namespaces whose certificates differ: the namespaces.
    pub differing_copies: Vec<String>,
    /// The Secrets that an istiod signs from, parsed.
    pub authorities: Vec<Authority<'world>>,
}

/// One Secret that an istiod signs from.
#[derive(Debug)]
pub struct Authority<'world> {
    /// What is known of the Secret.
    pub secret: &'world AuthoritySecret,
    /// The certificate that it signs with.
    pub signing: Option<Certificate>,
    /// The chain above it.
    pub chain: Vec<Certificate>,
    /// The roots it carries.
    pub roots: Vec<Certificate>,
    /// Why a part of it could not be read: the part, and the reason.
    pub problems: Vec<(&'static str, CertificateError)>,
}

impl Trust<'_> {
    /// The trust of a cluster whose control planes are in these namespaces.
    pub fn of<'world>(
        inventory: &'world ClusterInventory,
        namespaces: &[&str],
        bundles: &Bundles,
    ) -> Trust<'world> {
        let roots = namespaces
            .iter()
            .map(|namespace| given_roots(inventory, namespace, bundles))
            .find(|roots| !roots.is_absent())
            .unwrap_or(Fact::Absent);
        let differing_copies = roots
            .known()
            .map_or_else(Vec::new, |roots| differing(inventory, roots, bundles));
        Trust {
            roots,
            differing_copies,
            authorities: inventory
                .authorities
                .iter()
                .map(|secret| authority(secret, bundles))
                .collect(),
        }
    }
}

impl<'world> Trust<'world> {
    /// What istiod signs from: the plugged-in Secret where there is one, else its own.
    pub fn signer(&self) -> Option<&Authority<'world>> {
        let plugged_in = self
            .authorities
            .iter()
            .find(|authority| authority.is_plugged_in());
        plugged_in.or_else(|| self.authorities.first())
    }
}

impl Authority<'_> {
    /// Its Secret, as messages call it.
    pub fn called(&self) -> String {
        format!("Secret {}/{}", self.secret.namespace, self.secret.name)
    }

    /// Whether it was placed there, and not made by istiod itself.
    pub fn is_plugged_in(&self) -> bool {
        self.secret.name == PLUGGED_IN && !self.secret.keys.iter().any(|key| key == "istio-generated")
    }

    /// Who made it, in the report's words.
    pub fn managed_by(&self) -> String {
        if self.secret.managed_by_stolos {
            "stolos".to_owned()
        } else if self.is_plugged_in() {
            let manager = self.secret.managers.first();
            manager.cloned().unwrap_or_else(|| "unknown".to_owned())
        } else {
            "istiod".to_owned()
        }
    }
}

type Parsed = Result<Vec<Certificate>, CertificateError>;

fn authority<'world>(secret: &'world AuthoritySecret, bundles: &Bundles) -> Authority<'world> {
    let mut problems = Vec::new();
    let mut part = |part: &'static str, text: &str, parse: &dyn Fn(&str) -> Parsed| {
        if text.is_empty() {
            return Vec::new();
        }
        parse(text).unwrap_or_else(|error| {
            problems.push((part, error));
            Vec::new()
        })
    };
    let signing = part(
        "the signing certificate",
        &secret.signing_certificate,
        &parse_bundle,
    );
    let chain = part("the chain", &secret.chain, &parse_bundle);
    // What every cluster has a copy of.
    let roots = part("the roots", &secret.roots, &|text| bundles.parse(text));
    Authority {
        secret,
        signing: signing.into_iter().next(),
        chain,
        roots,
        problems,
    }
}

fn given_roots(inventory: &ClusterInventory, namespace: &str, bundles: &Bundles) -> Fact<Vec<Certificate>> {
    let reference = CONFIG_MAP.reference(namespace, ROOT_CONFIG_MAP);
    match inventory.presence(&reference) {
        Presence::Present(object) => bundle(object, bundles).map_or(Fact::Unknown, Fact::Known),
        Presence::Absent => Fact::Absent,
        Presence::Unknown
            if inventory.was_searched(CONFIG_MAP, "metadata.name=istio-ca-root-cert", namespace) =>
        {
            Fact::Absent
        }
        Presence::Unknown => Fact::Unknown,
    }
}

fn bundle(config_map: &Object, bundles: &Bundles) -> Option<Vec<Certificate>> {
    bundles.parse(config_map.text(&["data", "root-cert.pem"])).ok()
}

fn differing(inventory: &ClusterInventory, roots: &[Certificate], bundles: &Bundles) -> Vec<String> {
    let wanted = fingerprints(roots);
    inventory
        .of_kind(CONFIG_MAP)
        .filter(|object| object.name() == ROOT_CONFIG_MAP)
        .filter(|object| bundle(object, bundles).is_none_or(|roots| fingerprints(&roots) != wanted))
        .map(|object| object.namespace().to_owned())
        .collect()
}

/// The fingerprints of certificates, each once, in order.
pub fn fingerprints(certificates: &[Certificate]) -> Vec<&str> {
    let mut fingerprints: Vec<&str> = certificates
        .iter()
        .map(|certificate| certificate.sha256.as_str())
        .collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    fingerprints
}

/// A fingerprint in short, for reading.
pub fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}
