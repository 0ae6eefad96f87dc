//! An istiod as its debug port shows it: its version, the clusters that it reads, the gateways that
//! it knows. What it knows is made of its cluster's objects whenever it is asked.

use std::convert::Infallible;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::DuplexStream;

use crate::cluster::Cluster;
use crate::resource::Resource;

/// The port of istiod's debug endpoints and metrics.
pub const MONITORING_PORT: u16 = 15014;
/// The version that the istiods say they are.
pub const VERSION: &str = "1.31.2";

/// The label by which remote secrets are found.
const REMOTE_SECRET_LABEL: &str = "istio/multiCluster";
/// The label of gateways to a network, and of a system namespace's own.
const NETWORK_LABEL: &str = "topology.istio.io/network";

/// Serves the debug port over one forwarded connection.
pub async fn serve(stream: DuplexStream, cluster: Arc<Cluster>, namespace: String) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let answer = answer(&cluster, &namespace, request.uri().path());
        async move { Ok::<_, Infallible>(answer) }
    });
    // It ends with the tunnel.
    let _ = hyper::server::conn::http1::Builder::new()
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn answer(cluster: &Cluster, namespace: &str, path: &str) -> Response<Full<Bytes>> {
    let (content_type, body) = match path {
        "/version" => ("text/plain; charset=utf-8", format!("{VERSION}-simulated-Clean")),
        "/debug/clusterz" => ("application/json", clusterz(cluster, namespace)),
        "/debug/networkz" => ("application/json", networkz(cluster, namespace)),
        // Its pods have no proxies.
        "/debug/connections" => ("application/json", format!("{}\n", json!({"totalClients": 0}))),
        _ => {
            let mut missing = Response::new(Full::from("404 page not found\n"));
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return missing;
        }
    };
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static(content_type),
    );
    response
}

/// A remote cluster that an istiod was told of.
struct Remote {
    id: String,
    secret: String,
    synced: bool,
}

fn remotes(cluster: &Cluster, namespace: &str) -> Vec<Remote> {
    let Some(secrets) = Resource::number_of("v1", "Secret") else {
        return Vec::new();
    };
    let secrets = cluster.state().store.values(secrets, namespace);
    let mut remotes: Vec<Remote> = Vec::new();
    for secret in secrets {
        if secret["metadata"]["labels"][REMOTE_SECRET_LABEL] != "true" {
            continue;
        }
        let name = secret["metadata"]["name"].as_str().unwrap_or_default();
        for (id, kubeconfig) in secret["data"].as_object().into_iter().flatten() {
            // Its own cluster is never a remote one, and of two Secrets with an ID the second is dropped.
            if *id == cluster.name || remotes.iter().any(|remote| remote.id == *id) {
                continue;
            }
            remotes.push(Remote {
                id: id.clone(),
                secret: format!("{namespace}/{name}"),
                synced: is_read(cluster, id, kubeconfig) && is_old_enough(cluster, &secret),
            });
        }
    }
    remotes
}

/// Whether the cluster is one of the fleet, and accepts the token in the kubeconfig.
fn is_read(cluster: &Cluster, id: &str, kubeconfig: &Value) -> bool {
    let Some(neighbour) = cluster.neighbours.named(id) else {
        return false;
    };
    let text = kubeconfig
        .as_str()
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let token = text
        .lines()
        .find_map(|line| line.trim().trim_start_matches("- ").strip_prefix("token:"))
        .map(|token| token.trim().trim_matches(['"', '\'']).to_owned())
        .or_else(|| token_in_json(&text));
    token.is_some_and(|token| neighbour.state().recognised(&token).is_some())
}

fn token_in_json(text: &str) -> Option<String> {
    let kubeconfig: Value = serde_json::from_str(text).ok()?;
    Some(kubeconfig["users"][0]["user"]["token"].as_str()?.to_owned())
}

fn is_old_enough(cluster: &Cluster, secret: &Value) -> bool {
    let delay = cluster.pace.sync_delay;
    if delay.is_zero() {
        return true;
    }
    let created = secret["metadata"]["creationTimestamp"]
        .as_str()
        .unwrap_or_default();
    created.parse::<jiff::Timestamp>().is_ok_and(|created| {
        let age = jiff::Timestamp::now().duration_since(created);
        age.as_secs_f64() >= delay.as_secs_f64()
    })
}

fn clusterz(cluster: &Cluster, namespace: &str) -> String {
    let mut entries = vec![json!({"id": cluster.name, "secretName": "", "syncStatus": "synced"})];
    for remote in remotes(cluster, namespace) {
        entries.push(json!({
            "id": remote.id, "secretName": remote.secret,
            "syncStatus": if remote.synced { "synced" } else { "syncing" },
        }));
    }
    format!("{}\n", Value::Array(entries))
}

fn networkz(cluster: &Cluster, namespace: &str) -> String {
    let mut entries = gateways(cluster, namespace);
    for remote in remotes(cluster, namespace)
        .into_iter()
        .filter(|remote| remote.synced)
    {
        if let Some(neighbour) = cluster.neighbours.named(&remote.id) {
            entries.extend(gateways(&neighbour, namespace));
        }
    }
    format!("{}\n", Value::Array(entries))
}

/// The gateways that a cluster itself has.
fn gateways(cluster: &Cluster, namespace: &str) -> Vec<Value> {
    let Some(services) = Resource::number_of("v1", "Service") else {
        return Vec::new();
    };
    let services = cluster.state().store.values(services, namespace);
    let mut entries = Vec::new();
    for service in services {
        let network = &service["metadata"]["labels"][NETWORK_LABEL];
        let addresses = service["status"]["loadBalancer"]["ingress"].as_array();
        for address in addresses.into_iter().flatten() {
            if network.is_string() {
                entries.push(json!({
                    "Network": network, "Cluster": cluster.name, "ServiceAccount": {"Namespace": "", "Name": ""},
                    "Addr": address["ip"], "Port": 15443, "HBONEPort": 0,
                }));
            }
        }
    }
    entries
}
