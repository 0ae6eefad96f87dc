//! A remote secret's names and shape, as `istioctl create-remote-secret` makes it (Istio:
//! `istioctl/pkg/multicluster/remote_secret.go`), without the token.

use serde_json::{Value, json};

use crate::fleet::{Area, FleetName};
use crate::inventory::Object;
use crate::plan::RemoteSecretContent;
use crate::plan::ownership::ApplySet;

/// The account that peers read with; Istio's charts make it.
pub const READER_ACCOUNT: &str = "istio-reader-service-account";
/// The Secret that holds the reader's token, named as istioctl names it.
pub const READER_TOKEN_SECRET: &str = "istio-reader-service-account-istio-remote-secret-token";
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

/// The Secret that the token controller fills with the reader's token.
pub fn token_secret(fleet: &FleetName, namespace: &str) -> Object {
    let mut object = Object(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": READER_TOKEN_SECRET, "namespace": namespace},
    }));
    object.set_annotation("kubernetes.io/service-account.name", READER_ACCOUNT);
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
