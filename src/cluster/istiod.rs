//! What an istiod says of itself: its debug endpoints, asked through a port-forward to its pod.

use std::collections::BTreeSet;

use serde::Deserialize;
use tokio::time::Instant;

use super::client::Client;
use super::failure::failure;
use super::forward::forwarded_get;
use crate::fleet::spec::DEFAULT_REVISION;
use crate::inventory::control_plane::REVISION_LABEL;
use crate::inventory::{Failure, FailureClass, Object, Proxy, Replica, Said, not_asked};

/// The port of istiod's debug endpoints and metrics.
const MONITORING_PORT: u16 = 15014;
/// What it is asked there; the last only where its proxies are wanted.
const PATHS: [&str; 4] = [
    "/version",
    "/debug/clusterz",
    "/debug/networkz",
    "/debug/connections",
];

/// Whether a pod is an istiod that runs and stays.
pub fn is_asked(pod: &Object) -> bool {
    pod.label("app") == Some("istiod")
        && pod.text(&["status", "phase"]) == "Running"
        && pod.at(&["metadata", "deletionTimestamp"]).is_none()
}

/// Asks one istiod pod what it says of itself, until a deadline; also who is connected to it, where
/// `proxies` says so.
pub async fn ask_istiod(client: &Client, pod: &Object, proxies: bool, deadline: Instant) -> Replica {
    let paths = if proxies { &PATHS[..] } else { &PATHS[..3] };
    let (namespace, name) = (pod.namespace(), pod.name());
    let answers = forwarded_get(client, namespace, name, MONITORING_PORT, paths, deadline).await;
    let mut answers = match answers {
        Ok(answers) => answers.into_iter(),
        Err(failure) => vec![Err(failure); paths.len()].into_iter(),
    };
    let mut next = || {
        answers.next().unwrap_or_else(|| {
            let message = "istiod was not asked";
            Err(failure(FailureClass::Server, "get", "istiod", message))
        })
    };
    let version = match next() {
        Ok(body) => Said::Said(bare_version(&String::from_utf8_lossy(&body))),
        Err(failure) => Said::Silent(failure),
    };
    Replica {
        namespace: pod.namespace().to_owned(),
        pod: pod.name().to_owned(),
        revision: pod.label(REVISION_LABEL).unwrap_or(DEFAULT_REVISION).to_owned(),
        ready: pod.has_condition("Ready"),
        version,
        clusterz: said(next(), |entries: Option<Vec<_>>| entries.unwrap_or_default()),
        networkz: said(next(), |entries: Option<Vec<_>>| entries.unwrap_or_default()),
        proxies: if proxies {
            said(next(), |connections: Connections| connections.proxies())
        } else {
            not_asked()
        },
    }
}

/// `/debug/connections` (Istio: `pilot/pkg/xds/debug.go`, `AdsClients`).
#[derive(Deserialize)]
struct Connections {
    #[serde(default)]
    clients: Vec<Connection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    connection_id: String,
}

impl Connections {
    /// Whose they are, each once.
    fn proxies(self) -> Vec<Proxy> {
        let clients = self.clients.iter();
        let proxies: BTreeSet<Proxy> = clients
            .filter_map(|client| Proxy::of_connection(&client.connection_id))
            .collect();
        proxies.into_iter().collect()
    }
}

/// The version in istiod's `/version`, which is `VERSION-REVISION-STATUS` (Istio:
/// `pkg/version.BuildInfo.String`); a version may hold dashes itself.
fn bare_version(text: &str) -> String {
    text.trim()
        .rsplitn(3, '-')
        .nth(2)
        .unwrap_or(text.trim())
        .to_owned()
}

fn said<T: serde::de::DeserializeOwned, U>(
    answer: Result<Vec<u8>, Failure>,
    turn: impl FnOnce(T) -> U,
) -> Said<U> {
    match answer.map(|body| serde_json::from_slice(&body)) {
        Ok(Ok(value)) => Said::Said(turn(value)),
        Ok(Err(_)) => {
            let message = "its answer is not what this version of stolos reads";
            Said::Silent(failure(FailureClass::Server, "get", "istiod", message))
        }
        Err(failure) => Said::Silent(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_proxies_each_once() {
        let body = r#"{"totalClients": 3, "clients": [
            {"connectionId": "cart-7d9-x.shop-12", "connectedAt": "2026-11-23T10:00:00Z", "address": "10.0.0.9:1"},
            {"connectionId": "cart-7d9-x.shop-15", "connectedAt": "2026-11-23T10:00:00Z", "address": "10.0.0.9:2"},
            {"connectionId": "istioctl"}]}"#;
        let proxies = |body: &str| serde_json::from_str::<Connections>(body).unwrap().proxies();
        let names: Vec<String> = proxies(body).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["shop/cart-7d9-x"]);
        assert_eq!(proxies(r#"{"totalClients": 0}"#), []);
    }

    #[test]
    fn a_version_without_what_follows_it() {
        assert_eq!(bare_version("1.31.2-abcdef-Clean\n"), "1.31.2");
        assert_eq!(bare_version("1.32-alpha.0-abcdef-Modified"), "1.32-alpha.0");
        assert_eq!(bare_version("unknown"), "unknown");
    }
}
