//! Whether the remote secrets are such that an istiod takes them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::reach::quoted;
use crate::inventory::{ClusterInventory, RemoteSecret, RemoteSecretEntry};
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::view::{ClusterView, View};

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "remote-secret-duplicate",
        severity: Severity::Error,
        title: "Two Secrets hold the same cluster's kubeconfig",
        explanation: "istiod takes the first that it sees and drops the other; when the first is deleted, the other \
                      is not taken up, and the cluster disappears until istiod is restarted.",
        hint: "keep the one called istio-remote-secret-CLUSTER and delete the other, then restart istiod",
        restates_unread: false,
        check: duplicate,
    },
    Entry {
        code: "remote-secret-config-key",
        severity: Severity::Error,
        title: "A kubeconfig for istiod itself is labelled as a remote secret",
        explanation: "`istioctl create-remote-secret --type=config` labels its Secret, whose key is `config`: an \
                      istiod in that namespace takes it for a remote cluster called config.",
        hint: "take the label istio/multiCluster off the Secret",
        restates_unread: false,
        check: config_key,
    },
    Entry {
        code: "remote-secret-own-key",
        severity: Severity::Warning,
        title: "A remote secret has its own cluster's ID as key",
        explanation: "istiod ignores it (`ignoring cluster as it would overwrite the config cluster`). It was meant \
                      for another cluster, or two clusters go by the same ID.",
        hint: "delete the Secret, or correct its key",
        restates_unread: false,
        check: own_key,
    },
    Entry {
        code: "remote-secret-unusable",
        severity: Severity::Error,
        title: "istiod cannot use a remote secret",
        explanation: "The text is no kubeconfig, or holds a kind of credential that istiod refuses: exec plugins, \
                      credential files and cloud providers' are only taken where \
                      PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS allows them. istiod only logs it.",
        hint: "make it anew with a token: `stolos link sync`",
        restates_unread: false,
        check: unusable,
    },
    Entry {
        code: "remote-secret-loopback",
        severity: Severity::Error,
        title: "A remote secret points at the loopback address",
        explanation: "The API server's address was taken from a kubeconfig for this machine (kind, k3d, minikube, a \
                      tunnel). In istiod's pod it is the pod itself.",
        hint: "give the address that peers reach as `apiServer` in the fleet file, then `stolos link sync`",
        restates_unread: false,
        check: loopback,
    },
    Entry {
        code: "remote-secret-annotation",
        severity: Severity::Warning,
        title: "A credential lies in an annotation as well",
        explanation: "`kubectl apply` keeps the whole object in an annotation. Whoever may read the Secret's \
                      metadata, as backup tools and logs do, has the token.",
        hint: "`kubectl annotate secret NAME kubectl.kubernetes.io/last-applied-configuration-`, and rotate the token",
        restates_unread: false,
        check: annotation,
    },
    Entry {
        code: "remote-secret-expiring",
        severity: Severity::Warning,
        title: "A link's credential ends soon",
        explanation: "istiod does not renew it. When it ends, istiod goes on saying `synced` and sees no change any \
                      more.",
        hint: "make a new one before: `stolos link sync`",
        restates_unread: false,
        check: expiring,
    },
    Entry {
        code: "remote-secret-misplaced",
        severity: Severity::Error,
        title: "A remote secret is in a namespace that no istiod watches",
        explanation: "istiod takes remote secrets from its own namespace only. Without `-n`, `istioctl \
                      create-remote-secret` may take the namespace of the kubeconfig's current context.",
        hint: "make it anew in istiod's namespace and delete this one",
        restates_unread: false,
        check: misplaced,
    },
    Entry {
        code: "remote-secret-name",
        severity: Severity::Info,
        title: "A remote secret is not called as istioctl calls it",
        explanation: "`istioctl create-remote-secret` and this tool write istio-remote-secret-CLUSTER: the next one \
                      would stand beside this one, and istiod takes only one.",
        hint: "remember it when you make a new one; renaming it drops the cluster for a moment",
        restates_unread: false,
        check: unusual_name,
    },
];

/// A credential that ends sooner has a finding.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One kubeconfig in one remote secret in one cluster.
struct Held<'view, 'world> {
    cluster: &'view ClusterView<'world>,
    secret: &'world RemoteSecret,
    entry: &'world RemoteSecretEntry,
}

impl Held<'_, '_> {
    fn found(&self, message: &str) -> Found {
        let message = format!("Secret {}/{} {message}", self.secret.namespace, self.secret.name);
        Found::within(self.cluster.name, message)
    }
}

/// What remote secrets hold.
fn all<'view, 'world>(view: &'view View<'world>) -> impl Iterator<Item = Held<'view, 'world>> {
    held(view, |inventory| inventory.remote_secrets.iter().collect())
}

/// What all Secrets hold by which istiods read clusters.
fn wherever<'view, 'world>(view: &'view View<'world>) -> impl Iterator<Item = Held<'view, 'world>> {
    held(view, by_which_istiods_read)
}

fn by_which_istiods_read(inventory: &ClusterInventory) -> Vec<&RemoteSecret> {
    inventory
        .remote_secrets
        .iter()
        .chain(&inventory.istiod_kubeconfigs)
        .collect()
}

fn held<'view, 'world>(
    view: &'view View<'world>,
    secrets: impl Fn(&'world ClusterInventory) -> Vec<&'world RemoteSecret> + 'view,
) -> impl Iterator<Item = Held<'view, 'world>> {
    view.seen().flat_map(move |(cluster, inventory)| {
        secrets(inventory).into_iter().flat_map(move |secret| {
            let entries = secret.entries.iter();
            entries.map(move |entry| Held {
                cluster,
                secret,
                entry,
            })
        })
    })
}

fn duplicate(view: &View<'_>) -> Vec<Found> {
    let mut holders: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for held in all(view) {
        let key = (
            held.cluster.name.as_str(),
            held.secret.namespace.as_str(),
            held.entry.cluster_id.as_str(),
        );
        holders.entry(key).or_default().push(&held.secret.name);
    }
    holders
        .into_iter()
        .filter(|(_, secrets)| secrets.len() > 1)
        .map(|((cluster, namespace, id), secrets)| {
            let message = format!(
                "Secrets {} in {namespace} all have the key {id}",
                secrets.join(" and ")
            );
            Found::within(cluster, message)
        })
        .collect()
}

fn config_key(view: &View<'_>) -> Vec<Found> {
    all(view)
        .filter(|held| held.entry.cluster_id == "config")
        .map(|held| {
            held.found("is labelled istio/multiCluster=true and has the key config")
                .hint(format!(
                    "`kubectl --context {} -n {} label secret {} istio/multiCluster-`",
                    quoted(held.cluster.context),
                    held.secret.namespace,
                    held.secret.name
                ))
        })
        .collect()
}

fn own_key(view: &View<'_>) -> Vec<Found> {
    all(view)
        .filter(|held| {
            let mut planes = held.cluster.planes().iter();
            planes.any(|plane| plane.effective_cluster_id() == Some(held.entry.cluster_id.as_str()))
        })
        .map(|held| {
            held.found(&format!(
                "has the key {}, which is this cluster itself",
                held.entry.cluster_id
            ))
        })
        .collect()
}

fn unusable(view: &View<'_>) -> Vec<Found> {
    wherever(view)
        .filter(|held| !held.entry.problem.is_empty())
        .map(|held| held.found(&format!("for {}: {}", held.entry.cluster_id, held.entry.problem)))
        .collect()
}

fn loopback(view: &View<'_>) -> Vec<Found> {
    wherever(view)
        .filter(|held| is_loopback(&held.entry.server))
        .map(|held| {
            held.found(&format!(
                "reads {} at {}",
                held.entry.cluster_id, held.entry.server
            ))
        })
        .collect()
}

/// Whether a URL's host is one's own machine.
fn is_loopback(url: &str) -> bool {
    let authority = url.split("://").nth(1).unwrap_or(url);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

fn annotation(view: &View<'_>) -> Vec<Found> {
    let secrets = view.seen().flat_map(|(cluster, inventory)| {
        let secrets = by_which_istiods_read(inventory).into_iter();
        secrets.map(move |secret| (cluster, secret))
    });
    secrets
        .filter(|(_, secret)| secret.credential_in_annotation)
        .map(|(cluster, secret)| {
            let message = format!("Secret {}/{} has it in an annotation", secret.namespace, secret.name);
            Found::within(cluster.name, message).hint(format!(
                "`kubectl --context {} -n {} annotate secret {} kubectl.kubernetes.io/last-applied-configuration-`, \
                 then delete the token's Secret in the cluster that it reads and make the link anew \
                 (`kubectl apply --server-side` keeps no second copy)",
                quoted(cluster.context),
                secret.namespace,
                secret.name
            ))
        })
        .collect()
}

fn expiring(view: &View<'_>) -> Vec<Found> {
    wherever(view)
        .filter(|held| {
            let end: Option<Timestamp> = held.entry.expires_at.parse().ok();
            end.is_some_and(|end| end > view.at && end.duration_since(view.at) <= SOON)
        })
        .map(|held| {
            let (id, end) = (&held.entry.cluster_id, &held.entry.expires_at);
            held.found(&format!("holds a credential for {id} that ends at {end}"))
        })
        .collect()
}

fn misplaced(view: &View<'_>) -> Vec<Found> {
    all(view)
        .filter(|held| {
            let planes = held.cluster.planes();
            !planes.is_empty()
                && !planes
                    .iter()
                    .any(|plane| plane.namespace == held.secret.namespace)
        })
        .map(|held| {
            held.found(&format!(
                "for {} is in a namespace without an istiod",
                held.entry.cluster_id
            ))
        })
        .collect()
}

fn unusual_name(view: &View<'_>) -> Vec<Found> {
    all(view)
        .filter(|held| {
            let id = &held.entry.cluster_id;
            id != "config" && held.secret.name != format!("istio-remote-secret-{id}")
        })
        .map(|held| held.found(&format!("holds the kubeconfig of {}", held.entry.cluster_id)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_what_only_looks_like_it() {
        for url in [
            "https://127.0.0.1:6443",
            "https://localhost:40001/",
            "https://[::1]:6443",
            "https://0.0.0.0:6443",
            "https://127.1.2.3",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://10.0.0.1:6443",
            "https://localhost.example:6443",
            "https://[fd00::1]:6443",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
