//! What a cluster signs with now, as its objects say it.

use jiff::Timestamp;

use super::certificate::{Certificate, CertificateError, parse_bundle};
use super::chain::verify_chain;
use crate::fleet::ClusterSpec;
use crate::inventory::kind::{CONFIG_MAP, SECRET};
use crate::inventory::{AuthoritySecret, ClusterInventory, Object, Presence};

/// The Secret from which istiod signs with an intermediate of somebody's.
pub const CACERTS: &str = "cacerts";
/// The keys that it has, as Istio's guide "Plug in CA Certificates" names them.
pub const CACERTS_KEYS: [&str; 4] = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];
/// The Secret in which istiod keeps a root that it made itself.
pub const SELF_SIGNED_SECRET: &str = "istio-ca-secret";
/// The ConfigMap by which istiod gives its roots to every namespace.
pub const ROOT_CONFIG_MAP: &str = "istio-ca-root-cert";
/// The key by which istiod marks a `cacerts` that it made itself (`USE_CACERTS_FOR_SELF_SIGNED_CA`).
const GENERATED_KEY: &str = "istio-generated";

/// What a cluster's control plane signs with.
#[derive(Debug, Clone)]
pub enum Carried<'inventory> {
    /// `cacerts` stands.
    Plugged(Box<Plugged<'inventory>>),
    /// An istiod runs without `cacerts`.
    Running {
        /// Its Deployment.
        istiod: &'inventory Object,
        /// The roots that it gives to workloads; empty where they cannot be seen.
        roots: Vec<Certificate>,
        /// Whether it made its root itself: `istio-ca-secret` stands.
        self_signed: bool,
    },
    /// Nothing: no istiod runs and no `cacerts` stands.
    Nothing,
    /// The Secrets of the system namespace could not be read.
    Unknown,
}

/// A `cacerts` that stands.
#[derive(Debug, Clone)]
pub struct Plugged<'inventory> {
    /// The Secret, without its data.
    pub secret: &'inventory Object,
    /// Whether istiod made it itself.
    pub generated: bool,
    /// Whether its key is its certificate's; absent where that could not be told.
    pub key_matches: Option<bool>,
    /// Its intermediate, where it can be read.
    pub intermediate: Option<Certificate>,
    /// Its roots, where they can be read.
    pub roots: Vec<Certificate>,
    /// Its intermediate and what is wrong with it.
    pub state: PluggedState,
}

/// Whether istiod can sign with a `cacerts`.
#[derive(Debug, Clone)]
pub enum PluggedState {
    /// It can, until this certificate ends.
    Good {
        /// The intermediate.
        intermediate: Box<Certificate>,
        /// The root that it chains to.
        root: Box<Certificate>,
    },
    /// It cannot, or soon will not: why.
    Broken(String),
}

impl<'inventory> Carried<'inventory> {
    /// What one cluster's control plane in its system namespace signs with.
    pub fn of(spec: &ClusterSpec, cluster: &'inventory ClusterInventory, now: Timestamp) -> Self {
        Self::in_namespace(spec.system_namespace(), cluster, now)
    }

    /// What the control plane of a namespace signs with.
    pub fn in_namespace(namespace: &str, cluster: &'inventory ClusterInventory, now: Timestamp) -> Self {
        let secret = |name: &str| cluster.presence(&SECRET.reference(namespace, name));
        let authority = |name: &str| {
            (cluster.authorities.iter())
                .find(|authority| authority.namespace == namespace && authority.name == name)
        };
        match (secret(CACERTS), authority(CACERTS)) {
            (Presence::Present(secret), Some(authority)) => {
                return Carried::Plugged(Box::new(Plugged::of(secret, authority, now)));
            }
            (Presence::Absent, _) => {}
            (Presence::Present(_) | Presence::Unknown, _) => return Carried::Unknown,
        }
        let Some(istiod) = cluster.istiods_in(namespace).next() else {
            return Carried::Nothing;
        };
        let own = authority(SELF_SIGNED_SECRET);
        let roots = published_roots(cluster, namespace).or_else(|| parse_bundle(&own?.roots).ok());
        Carried::Running {
            istiod,
            roots: roots.unwrap_or_default(),
            self_signed: own.is_some(),
        }
    }

    /// The roots that the cluster carries; empty where there are none, or none can be seen.
    pub fn roots(&self) -> &[Certificate] {
        match self {
            Carried::Plugged(plugged) => &plugged.roots,
            Carried::Running { roots, .. } => roots,
            Carried::Nothing | Carried::Unknown => &[],
        }
    }
}

/// The roots that istiod gives to the workloads of a namespace; `None` where they cannot be seen.
pub fn published_roots(cluster: &ClusterInventory, namespace: &str) -> Option<Vec<Certificate>> {
    let published = CONFIG_MAP.reference(namespace, ROOT_CONFIG_MAP);
    let published = cluster.object(&published)?;
    parse_bundle(published.text(&["data", "root-cert.pem"])).ok()
}

/// The roots of control planes in namespaces other than the fleet's for the cluster. A self-signed
/// root counts where an istiod runs beside it; what an istiod left behind does not.
pub(super) fn roots_of_other_namespaces(cluster: &ClusterInventory, namespace: &str) -> Vec<Certificate> {
    (cluster.authorities.iter())
        .filter(|authority| authority.namespace != namespace)
        .filter(|authority| {
            authority.name == CACERTS || cluster.istiods_in(&authority.namespace).next().is_some()
        })
        .filter_map(|authority| parse_bundle(&authority.roots).ok())
        .flatten()
        .collect()
}

impl<'inventory> Plugged<'inventory> {
    fn of(secret: &'inventory Object, authority: &AuthoritySecret, now: Timestamp) -> Self {
        let roots = parse_bundle(&authority.roots);
        Self {
            secret,
            generated: authority.keys.iter().any(|key| key == GENERATED_KEY),
            key_matches: authority.key_matches,
            intermediate: (parse_bundle(&authority.signing_certificate).ok())
                .map(|mut certificates| certificates.remove(0)),
            state: state(authority, &roots, now),
            roots: roots.unwrap_or_default(),
        }
    }
}

/// Judges a `cacerts` as istiod does when it starts (Istio: `security/pkg/pki/ca/ca.go` and
/// `util.Verify`): all files or none, the chain verifies, the key is the certificate's.
fn state(
    authority: &AuthoritySecret,
    roots: &Result<Vec<Certificate>, CertificateError>,
    now: Timestamp,
) -> PluggedState {
    let has = |key: &str| authority.keys.iter().any(|known| known == key);
    let wanted: &[&str] = if has("tls.crt") {
        &["tls.crt", "tls.key", "ca.crt"]
    } else {
        &["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]
    };
    let missing: Vec<&str> = wanted.iter().copied().filter(|key| !has(key)).collect();
    if !missing.is_empty() {
        return PluggedState::Broken(format!("it lacks {}", missing.join(", ")));
    }
    let broken = |what: &str, error: &CertificateError| PluggedState::Broken(format!("{what}: {error}"));
    let roots = match roots {
        Ok(roots) => roots,
        Err(error) => return broken("its roots cannot be read", error),
    };
    let chain = match parse_bundle(&authority.chain) {
        Ok(chain) => chain,
        Err(error) => return broken("its chain cannot be read", &error),
    };
    let intermediate = match parse_bundle(&authority.signing_certificate) {
        Ok(mut certificates) => certificates.remove(0),
        Err(error) => return broken("its certificate cannot be read", &error),
    };
    if authority.key_matches == Some(false) {
        return PluggedState::Broken("its key is not its certificate's".to_owned());
    }
    if !intermediate.may_sign_certificates() {
        return PluggedState::Broken(format!(
            "its certificate {:?} is no authority (CA, keyCertSign)",
            intermediate.subject
        ));
    }
    match verify_chain(&intermediate, &chain, roots, now) {
        Ok(path) => {
            let root = Box::new(path[path.len() - 1].clone());
            PluggedState::Good {
                intermediate: Box::new(intermediate),
                root,
            }
        }
        Err(error) => PluggedState::Broken(error.to_string()),
    }
}
