//! What stands in each cluster before it is linked, and how it is put back to that.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Api;
use crate::clusters::{Cluster, Ground, with_each};
use crate::trouble::{Doing as _, Outcome, Trouble};

/// The control plane's namespace.
const SYSTEM: &str = "/api/v1/namespaces/istio-system";
/// The account that peers read with.
const ACCOUNT: &str = "istio-reader-service-account";
/// The Secret with that account's token, as istioctl names it.
const TOKEN: &str = "istio-reader-service-account-istio-remote-secret-token";

/// Whether the reader's token is there before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// It is not: whoever links has it issued.
    Absent,
    /// It is.
    Issued,
}

/// Makes each cluster one that has Istio's reader account and an istiod that does not run.
pub fn furnish(ground: &Ground) -> Outcome<()> {
    with_each(&ground.clusters, |cluster| {
        let api = cluster.api()?;
        for (path, object) in objects(&cluster.context) {
            api.apply(&path, &object)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Puts each cluster back: no remote secret, nothing of this tool's, and the token as it is to be.
pub fn put_back(clusters: &[Cluster], token: Token) -> Outcome<()> {
    with_each(clusters, |cluster| {
        let api = cluster.api()?;
        for kind in ["secrets", "configmaps"] {
            for object in api.list(&format!("{SYSTEM}/{kind}"))? {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                let labels = &object["metadata"]["labels"];
                let linked = labels["istio/multiCluster"] == "true";
                let ours = labels["app.kubernetes.io/managed-by"] == "stolos";
                if linked || ours || name == TOKEN {
                    api.delete(&format!("{SYSTEM}/{kind}/{name}"))?;
                }
            }
        }
        match token {
            Token::Absent => Ok(()),
            Token::Issued => issue(&api),
        }
    })?;
    // What deleting set off in the controllers and in etcd is not to be measured.
    std::thread::sleep(Duration::from_millis(500));
    Ok(())
}

fn issue(api: &Api) -> Outcome<()> {
    let path = format!("{SYSTEM}/secrets/{TOKEN}");
    api.apply(
        &path,
        &json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": TOKEN, "namespace": "istio-system",
                "annotations": {"kubernetes.io/service-account.name": ACCOUNT},
            },
        }),
    )?;
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        let secret = api.get(&path)?.doing("read the reader's token")?;
        if secret["data"]["token"].is_string() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(Trouble::new("the reader's token was not issued within 30 s"))
}

/// The objects, with the paths that they are applied to.
fn objects(cluster: &str) -> Vec<(String, Value)> {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let role = "istio-reader-clusterrole-istio-system";
    let reads = |groups: &[&str], resources: &[&str]| json!({"apiGroups": groups, "resources": resources, "verbs": ["get", "list", "watch"]});
    vec![
        (
            SYSTEM.to_owned(),
            json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {
                    "name": "istio-system",
                    "labels": {"topology.istio.io/network": format!("network-{cluster}")},
                },
            }),
        ),
        (
            format!("{SYSTEM}/serviceaccounts/{ACCOUNT}"),
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {
                    "name": ACCOUNT, "namespace": "istio-system", "labels": {"app": "istio-reader"},
                },
            }),
        ),
        (
            format!("{rbac}/clusterroles/{role}"),
            // From Istio's chart `base`, what every remote reader needs.
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": role, "labels": {"app": "istio-reader"}},
                "rules": [
                    reads(
                        &[""],
                        &[
                            "endpoints", "pods", "services", "nodes", "replicationcontrollers", "namespaces",
                            "secrets", "configmaps",
                        ],
                    ),
                    reads(&["apps"], &["replicasets"]),
                    reads(&["discovery.k8s.io"], &["endpointslices"]),
                ],
            }),
        ),
        (
            format!("{rbac}/clusterrolebindings/{role}"),
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "metadata": {"name": role, "labels": {"app": "istio-reader"}},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "istio-system"}],
            }),
        ),
        (
            "/apis/apps/v1/namespaces/istio-system/deployments/istiod".to_owned(),
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {
                    "name": "istiod", "namespace": "istio-system",
                    "labels": {"app": "istiod", "istio.io/rev": "default"},
                },
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {"app": "istiod"}},
                    "template": {
                        "metadata": {"labels": {"app": "istiod", "istio.io/rev": "default"}},
                        "spec": {"containers": [{
                            "name": "discovery", "image": "istio/pilot:1.31.0",
                            "env": [{"name": "CLUSTER_ID", "value": cluster}],
                        }]},
                    },
                },
            }),
        ),
    ]
}

/// A token of an account that may read namespaces, good for an hour.
pub fn reader_token(cluster: &Cluster) -> Outcome<String> {
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600},
    });
    let path = format!("{SYSTEM}/serviceaccounts/{ACCOUNT}/token");
    let answer = cluster.api()?.post(&path, &request)?;
    let token = answer["status"]["token"].as_str();
    Ok(token.doing("read a requested token")?.to_owned())
}
