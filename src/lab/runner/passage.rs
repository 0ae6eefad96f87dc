//! What is behind the address of a Service for other clusters: the discovery and the webhooks of istiod.
//! Where istiod itself stands behind the Service, a connection goes to it. The proxy of an east-west
//! gateway, which passes them on unopened, is only said to run in a lab; a connection goes where the
//! cluster's own objects lead it (Pod, Gateway, VirtualService, Service, EndpointSlice), and where they
//! lead nowhere it is closed, as by Envoy.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt;
use rustls::server::Acceptor;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Node, known_image};
use crate::lab::api::{self, ApiError};
use crate::lab::error::LabError;
use crate::lab::inside::{BRIDGE_NAME, ip, pass};

/// The largest beginning of a TLS handshake that is looked at, in bytes.
const HELLO: usize = 16 * 1024;
/// How long it is waited for.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// The ports that a gateway passes through to istiod: discovery and webhooks.
const PORTS: [u16; 2] = [15012, 15017];

/// An address at which connections are taken until this is dropped.
pub struct Passage {
    _listening: JoinSet<()>,
}

impl Passage {
    /// Takes connections for a Service at its address; none where it has no such ports.
    pub async fn open(
        node: &Arc<Node>,
        service: &Service,
        address: Ipv4Addr,
    ) -> Result<Option<Self>, LabError> {
        let spec = service.spec.iter();
        let ports: Vec<i32> = spec
            .flat_map(|spec| spec.ports.iter().flatten())
            .map(|port| port.port)
            .collect();
        let passed = PORTS
            .into_iter()
            .filter(|port| ports.contains(&i32::from(*port)))
            .map(|port| SocketAddr::from((address, port)));
        let passed: Vec<SocketAddr> = passed.collect();
        if passed.is_empty() {
            return Ok(None);
        }
        // The address may be there from a Service before; replacing it changes nothing then.
        ip(&format!("addr replace {address}/32 dev {BRIDGE_NAME}")).await?;
        let mut listening = JoinSet::new();
        for at in passed {
            let listener = TcpListener::bind(at).await;
            let listener = listener.map_err(|error| LabError::system(format!("listen on {at}"), error))?;
            listening.spawn(take(listener, node.clone(), service.clone(), at.port()));
        }
        Ok(Some(Self {
            _listening: listening,
        }))
    }
}

async fn take(listener: TcpListener, node: Arc<Node>, service: Service, port: u16) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let (node, service) = (node.clone(), service.clone());
                connections.spawn(async move { lead(client, &node, &service, port).await });
            }
            Err(_) => tokio::time::sleep(super::PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn lead(client: TcpStream, node: &Node, service: &Service, port: u16) {
    let asked = tokio::time::timeout(HANDSHAKE, server_name(&client)).await;
    match way(node, service, port, &asked.unwrap_or_default()).await {
        Ok(Some(target)) => pass(client, target).await,
        Ok(None) => {}
        Err(error) => {
            let context = node.shape.context();
            node.log
                .say(format!("{context}: on the way through {port}: {error}"));
        }
    }
}

/// The name that a client asks for in its TLS handshake, which stays unread for who answers it; empty where it
/// asks for none, or speaks no TLS.
async fn server_name(client: &TcpStream) -> String {
    let mut buffer = vec![0; HELLO];
    let mut before = 0;
    loop {
        let Ok(read) = client.peek(&mut buffer).await else {
            return String::new();
        };
        let mut acceptor = Acceptor::default();
        let mut hello = &buffer[..read];
        while !hello.is_empty() && acceptor.read_tls(&mut hello).is_ok() {}
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                return accepted
                    .client_hello()
                    .server_name()
                    .unwrap_or_default()
                    .to_owned();
            }
            // There is more of it to come.
            Ok(None) if read > 0 && read < HELLO => {
                if read == before {
                    tokio::time::sleep(super::PAUSE).await;
                }
                before = read;
            }
            Ok(None) | Err(_) => return String::new(),
        }
    }
}

/// Where a connection to a port of a gateway's Service goes that asks for a name.
async fn way(node: &Node, service: &Service, port: u16, asked: &str) -> Result<Option<SocketAddr>, ApiError> {
    let namespace = service.namespace().unwrap_or_default();
    let istios = format!("/apis/networking.istio.io/v1/namespaces/{namespace}");
    let selector: Vec<String> = service
        .spec
        .iter()
        .flat_map(|spec| spec.selector.iter().flatten())
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let gateways = format!("{istios}/gateways");
    let routes = format!("{istios}/virtualservices");
    let pods = format!(
        "/api/v1/namespaces/{namespace}/pods?labelSelector={}",
        selector.join(",")
    );
    let (pods, gateways, routes) =
        tokio::try_join!(items(node, &pods), items(node, &gateways), items(node, &routes),)?;
    let Some(proxy) = pods.iter().find(|pod| is_ready(pod)) else {
        return Ok(None);
    };
    if runs_for_real(proxy) {
        return endpoint(node, &format!("{}.{namespace}", service.name_any()), port.into()).await;
    }
    let destination = gateways
        .iter()
        .filter(|gateway| passes(gateway, proxy, port))
        .find_map(|gateway| destination(&routes, gateway["metadata"]["name"].as_str()?, port, asked));
    match destination {
        Some((host, port)) => endpoint(node, &host, port).await,
        None => Ok(None),
    }
}

async fn items(node: &Node, path: &str) -> Result<Vec<Value>, ApiError> {
    match api::get(&node.client, path).await {
        Ok(mut list) => Ok(match list["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        }),
        // A kind that is not defined has no objects.
        Err(error) if error.is_absent() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn list<'value>(value: &'value Value, field: &str) -> impl Iterator<Item = &'value Value> {
    value[field].as_array().into_iter().flatten()
}

fn is_ready(pod: &Value) -> bool {
    list(&pod["status"], "conditions").any(|one| one["type"] == "Ready" && one["status"] == "True")
}

fn runs_for_real(pod: &Value) -> bool {
    let mut images = list(&pod["spec"], "containers").filter_map(|container| container["image"].as_str());
    images.any(|image| known_image(image).is_some())
}

/// Whether a Gateway has a proxy pass a port through.
fn passes(gateway: &Value, proxy: &Value, port: u16) -> bool {
    let labels = &proxy["metadata"]["labels"];
    let selected = gateway["spec"]["selector"].as_object();
    let is_its = selected.is_some_and(|selected| selected.iter().all(|(key, value)| labels[key] == *value));
    let mut servers = list(&gateway["spec"], "servers");
    is_its && servers.any(|server| server["port"]["number"] == port && server["tls"]["mode"] == "PASSTHROUGH")
}

/// The host and port that a route leads a name at a port of a Gateway to; a route for that name comes before one
/// for all names.
fn destination(routes: &[Value], gateway: &str, port: u16, asked: &str) -> Option<(String, u64)> {
    let of_gateway: Vec<&Value> = routes
        .iter()
        .filter(|route| list(&route["spec"], "gateways").any(|name| name == gateway))
        .flat_map(|route| list(&route["spec"], "tls"))
        .collect();
    let leads = |rule: &Value, wanted: &str| {
        let its = |one: &Value| one["port"] == port && list(one, "sniHosts").any(|name| name == wanted);
        list(rule, "match").any(its)
    };
    let mut names = [asked, "*"].into_iter();
    let rule = names.find_map(|name| of_gateway.iter().find(|rule| leads(rule, name)))?;
    let destination = &rule["route"][0]["destination"];
    Some((
        destination["host"].as_str()?.to_owned(),
        destination["port"]["number"].as_u64()?,
    ))
}

/// A ready endpoint behind a port of the Service that a host names.
async fn endpoint(node: &Node, host: &str, port: u64) -> Result<Option<SocketAddr>, ApiError> {
    let mut parts = host.split('.');
    let (Some(name), Some(namespace)) = (parts.next(), parts.next()) else {
        return Ok(None);
    };
    let services = format!("/api/v1/namespaces/{namespace}/services?fieldSelector=metadata.name={name}");
    let services = items(node, &services).await?;
    let slices = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector=kubernetes.io/service-name={name}"
    );
    let slices = items(node, &slices).await?;
    let mut ports = services
        .iter()
        .flat_map(|service| list(&service["spec"], "ports"));
    let named = ports.find(|one| one["port"] == port);
    Ok(named.and_then(|named| {
        slices.iter().find_map(|slice| {
            let port = list(slice, "ports").find(|one| one["name"] == named["name"])?;
            let port = u16::try_from(port["port"].as_u64()?).ok()?;
            let ready = list(slice, "endpoints").find(|one| one["conditions"]["ready"] == true)?;
            let address: IpAddr = ready["addresses"][0].as_str()?.parse().ok()?;
            Some(SocketAddr::from((address, port)))
        })
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mesh::values::exposed_istiod;

    #[test]
    fn what_exposes_istiod_leads_to_it_and_nothing_else_does() {
        let cluster = crate::fleet::ClusterSpec::named("east".parse().unwrap());
        let [gateway, route] = exposed_istiod(&cluster, "istiod", &["istiod-new".to_owned()]);
        let proxy = json!({"metadata": {"labels": {"istio": "eastwestgateway", "more": "x"}}});
        assert!(passes(&gateway, &proxy, 15012) && passes(&gateway, &proxy, 15017));
        assert!(!passes(&gateway, &proxy, 15443));
        assert!(!passes(&gateway, &json!({"metadata": {}}), 15012));
        let routes = [route];
        let host = |istiod: &str| format!("{istiod}.istio-system.svc.cluster.local");
        let lead = |gateway: &str, port, asked: &str| destination(&routes, gateway, port, asked);
        for asked in ["istiod.istio-system.svc", ""] {
            let own = host("istiod");
            assert_eq!(lead("istiod-gateway", 15012, asked), Some((own.clone(), 15012)));
            assert_eq!(lead("istiod-gateway", 15017, asked), Some((own, 443)));
        }
        let other = "istiod-new.istio-system.svc";
        assert_eq!(
            lead("istiod-gateway", 15017, other),
            Some((host("istiod-new"), 443))
        );
        assert_eq!(lead("other", 15017, other), None);
        assert_eq!(destination(&[], "istiod-gateway", 15017, ""), None);
    }
}
