//! A remote secret's names and shape, as `istioctl create-remote-secret` makes it (Istio:
//! `istioctl/pkg/multicluster/remote_secret.go`), without the token.

use serde_json::{Value, json};

use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, FleetName, Role};
use crate::inventory::{ClusterInventory, Object, ObjectReference, RemoteSecret, kind};
use crate::mesh::istiod_of_revision;
use crate::plan::RemoteSecretContent;
use crate::plan::ownership::ApplySet;

/// The account that peers read with; Istio's charts make it.
pub const READER_ACCOUNT: &str = "istio-reader-service-account";
/// The Secret by which an istiod finds the cluster that it reads Istio's configuration from, where that is
/// not its own (Istio: `manifests/charts/istio-control/istio-discovery/templates/deployment.yaml`). It is read
/// once, when istiod starts.
pub const CONFIGURATION_SECRET: &str = "istio-kubeconfig";
/// The key of the kubeconfig in it.
pub const CONFIGURATION_KEY: &str = "config";
/// The label by which istiod finds remote secrets.
pub const REMOTE_SECRET_LABEL: &str = "istio/multiCluster";

/// The annotation on the remote secret by which a primary reads a remote of its own, and the context's
/// namespace in its kubeconfig. An istiod reads once, when it is given a kubeconfig with other bytes,
/// whether it is the cluster's control plane: one that it was given before it was is not enough.
pub const CONTROL_PLANE_MARK: &str = "stolos.dev/control-plane";

/// The name of the remote secret for a cluster. Never another: a second Secret with the same
/// cluster ID is dropped by istiod, and not taken up when the first goes.
pub fn name(cluster_id: &str) -> String {
    format!("istio-remote-secret-{cluster_id}")
}

/// The account by which a cluster is read: the reader's, or where istiod's configuration stands in it, the
/// one that Istio's charts make for an istiod, which may write there as well.
pub fn account(fleet: &Fleet, read: &ClusterSpec) -> String {
    match read.role {
        Role::Config => istiod_of_revision(fleet.revision(read)),
        Role::Primary | Role::Remote | Role::External => READER_ACCOUNT.to_owned(),
    }
}

/// The name of the Secret that holds an account's token, as istioctl names it.
pub fn token_secret_name(account: &str) -> String {
    format!("{account}-istio-remote-secret-token")
}

/// The Secret by which one cluster reads another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkSecret<'fleet> {
    /// By which an external istiod finds its config cluster.
    Configuration,
    /// A remote secret, for the cluster of this name.
    Remote(&'fleet ClusterName),
}

impl<'fleet> LinkSecret<'fleet> {
    /// The one by which a cluster reads another.
    pub fn of(fleet: &Fleet, reader: &ClusterSpec, read: &'fleet ClusterSpec) -> Self {
        let config = fleet.configures(reader).filter(|_| reader.role == Role::External);
        match config.is_some_and(|config| config.name == read.name) {
            true => LinkSecret::Configuration,
            false => LinkSecret::Remote(&read.name),
        }
    }

    /// The Secret's name.
    pub fn name(self) -> String {
        match self {
            LinkSecret::Configuration => CONFIGURATION_SECRET.to_owned(),
            LinkSecret::Remote(read) => name(read.as_str()),
        }
    }

    /// The key of the kubeconfig in it.
    pub fn key(self) -> &'fleet str {
        match self {
            LinkSecret::Configuration => CONFIGURATION_KEY,
            LinkSecret::Remote(read) => read.as_str(),
        }
    }

    /// Which object it is in a namespace.
    pub fn reference(self, namespace: &str) -> ObjectReference {
        kind::SECRET.reference(namespace, self.name())
    }

    /// Its metadata, marked as the fleet's. What leads an istiod to its configuration lacks the label of
    /// remote secrets: istiod would read that cluster twice.
    pub fn metadata(self, fleet: &FleetName, namespace: &str) -> Object {
        let mut object = Object(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": self.name(), "namespace": namespace},
        }));
        if let LinkSecret::Remote(read) = self {
            object.set_label(REMOTE_SECRET_LABEL, "true");
            object.set_annotation("networking.istio.io/cluster", read.as_str());
        }
        ApplySet::of_area(fleet, Area::Links, namespace).mark(&mut object, fleet);
        object
    }

    /// Those of its sort that were seen.
    pub fn seen(self, seen: &ClusterInventory) -> &[RemoteSecret] {
        match self {
            LinkSecret::Configuration => &seen.istiod_kubeconfigs,
            LinkSecret::Remote(_) => &seen.remote_secrets,
        }
    }
}

/// The Secret that the token controller fills with an account's token.
pub fn token_secret(fleet: &FleetName, namespace: &str, account: &str) -> Object {
    let mut object = Object(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": token_secret_name(account), "namespace": namespace},
    }));
    object.set_annotation("kubernetes.io/service-account.name", account);
    ApplySet::of_area(fleet, Area::Links, namespace).mark(&mut object, fleet);
    object
}

/// The kubeconfig in a remote secret. `authority` and `token` are already encoded as they stand in
/// one: base64 of PEM, and plain. The order of fields is fixed, so that the same content is the
/// same bytes: istiod rebuilds its view of a cluster whenever the bytes change.
pub fn kubeconfig(content: &RemoteSecretContent, authority: &str, token: &str) -> Value {
    let id = &content.cluster_id;
    let mut cluster = json!({"certificate-authority-data": authority, "server": content.server});
    if !content.tls_server_name.is_empty() {
        cluster["tls-server-name"] = content.tls_server_name.as_str().into();
    }
    let mut context = json!({"cluster": id, "user": id});
    if content.leads() {
        context["namespace"] = content.token_namespace.as_str().into();
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"cluster": cluster, "name": id}],
        "contexts": [{"context": context, "name": id}],
        "current-context": id,
        "users": [{"name": id, "user": {"token": token}}],
    })
}
