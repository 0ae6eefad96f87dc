//! A remote secret's names and shape, as `istioctl create-remote-secret` makes it (Istio:
//! `istioctl/pkg/multicluster/remote_secret.go`), without the token.

use serde_json::{Value, json};

use crate::fleet::{Area, ClusterSpec, Fleet, FleetName, Role};
use crate::inventory::Object;
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

/// The metadata of the Secret by which an external istiod finds its config cluster, marked as the fleet's.
/// It lacks the label of remote secrets: istiod would read the cluster twice.
pub fn configuration(fleet: &FleetName, namespace: &str) -> Object {
    let mut object = Object(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": CONFIGURATION_SECRET, "namespace": namespace},
    }));
    ApplySet::of_area(fleet, Area::Links, namespace).mark(&mut object, fleet);
    object
}

/// The name and the key of the Secret by which a cluster reads another.
pub fn place(fleet: &Fleet, reader: &ClusterSpec, read: &ClusterSpec) -> (String, String) {
    let is_configuration = reader.role == Role::External
        && fleet
            .configures(reader)
            .is_some_and(|config| config.name == read.name);
    match is_configuration {
        true => (CONFIGURATION_SECRET.to_owned(), CONFIGURATION_KEY.to_owned()),
        false => (name(read.name.as_str()), read.name.to_string()),
    }
}

/// The remote secret's metadata, marked as the fleet's.
pub fn metadata(fleet: &FleetName, namespace: &str, cluster_id: &str) -> Object {
    let mut object = Object(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": name(cluster_id), "namespace": namespace},
    }));
    object.set_label(REMOTE_SECRET_LABEL, "true");
    object.set_annotation("networking.istio.io/cluster", cluster_id);
    ApplySet::of_area(fleet, Area::Links, namespace).mark(&mut object, fleet);
    object
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
