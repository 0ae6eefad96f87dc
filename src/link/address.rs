//! Which address a peer can dial: what the fleet file says, else what the kubeconfig says unless
//! that is only this machine's, else what the cluster says of itself.

use std::net::IpAddr;

use crate::fleet::ClusterSpec;
use crate::inventory::{AddressProbe, ClusterInventory, Object, ObjectReference, ProbeOutcome, kind};

/// An address under which peers could reach a cluster's API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The URL.
    pub url: String,
    /// Who says so.
    pub source: Source,
    /// PEM of the authority that must have signed its certificate; empty: the cluster's own
    /// (`kube-root-ca.crt`).
    pub authority: String,
    /// `tls-server-name`, empty where none is needed.
    pub tls_server_name: String,
}

/// Who gave an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The fleet file's `apiServer`.
    FleetFile,
    /// The kubeconfig.
    Kubeconfig,
    /// The cluster's own EndpointSlice `default/kubernetes`.
    Endpoints,
    /// The address of a control plane node.
    Node,
}

impl Source {
    /// Who gave it, in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::FleetFile => "the fleet file",
            Source::Kubeconfig => "the kubeconfig",
            Source::Endpoints => "the cluster's own endpoints",
            Source::Node => "a control plane node",
        }
    }

    /// Whether a person named it, so that it may be dialled from here.
    pub fn is_named(self) -> bool {
        matches!(self, Source::FleetFile | Source::Kubeconfig)
    }
}

/// Why no address can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoAddress {
    /// Why.
    pub reason: String,
    /// What to do.
    pub hint: String,
}

/// What the address hangs on and could not be read this time, where it may be read the next: another
/// address, or another authority, is no answer to that.
pub fn not_known_now(spec: &ClusterSpec, seen: &ClusterInventory) -> Option<ObjectReference> {
    let passes = |reference: &ObjectReference| {
        let failure = seen.why_unknown(reference);
        failure.is_some_and(|failure| failure.class.may_pass())
    };
    let is_named = spec.api_server.is_some() || !is_loopback(&seen.server);
    let endpoints = ObjectReference::new("discovery.k8s.io/v1", "EndpointSlice", "default", "kubernetes");
    if !is_named && passes(&endpoints) {
        return Some(endpoints);
    }
    let authority = kind::CONFIG_MAP.reference("kube-system", "kube-root-ca.crt");
    passes(&authority).then_some(authority)
}

/// The address that peers are to dial, by who gives it, the first that there is.
///
/// # Errors
///
/// Where the fleet file names a loopback address, or nobody names another.
pub fn candidate(spec: &ClusterSpec, seen: &ClusterInventory) -> Result<Candidate, NoAddress> {
    let own_authority = root_authority(seen);
    if let Some(url) = &spec.api_server {
        let url = url.trim_end_matches('/').to_owned();
        if is_loopback(&url) {
            return Err(NoAddress {
                reason: format!(
                    "`apiServer: {url}` is a loopback address: it leads each peer back to itself"
                ),
                hint: format!(
                    "set `apiServer` of the cluster {} to an address that its peers can dial",
                    spec.name
                ),
            });
        }
        let same = url == seen.server.trim_end_matches('/');
        return Ok(Candidate {
            url,
            source: Source::FleetFile,
            authority: if same && !seen.kubeconfig_authority.is_empty() {
                seen.kubeconfig_authority.clone()
            } else {
                own_authority
            },
            tls_server_name: if same {
                seen.tls_server_name.clone()
            } else {
                String::new()
            },
        });
    }
    if !is_loopback(&seen.server) {
        return Ok(Candidate {
            url: seen.server.trim_end_matches('/').to_owned(),
            source: Source::Kubeconfig,
            authority: if seen.kubeconfig_authority.is_empty() {
                own_authority
            } else {
                seen.kubeconfig_authority.clone()
            },
            tls_server_name: seen.tls_server_name.clone(),
        });
    }
    endpoint(seen)
        .map(|url| (url, Source::Endpoints))
        .or_else(|| node(seen).map(|url| (url, Source::Node)))
        .map(|(url, source)| Candidate {
            url,
            source,
            authority: own_authority,
            tls_server_name: String::new(),
        })
        .ok_or_else(|| NoAddress {
            reason: format!(
                "its API server is known only as {}, a loopback address, and the cluster names no other",
                seen.server
            ),
            hint: format!(
                "set `apiServer` of the cluster {} to an address that its peers can dial",
                spec.name
            ),
        })
}

/// What this machine found at the address, where it dialled it.
pub fn probe<'seen>(candidate: &Candidate, seen: &'seen ClusterInventory) -> Option<&'seen AddressProbe> {
    seen.probes.iter().find(|probe| probe.url == candidate.url)
}

/// Why an address must not be given to peers, after what answered there.
pub fn refusal(candidate: &Candidate, probe: &AddressProbe) -> Option<String> {
    let Candidate { url, source, .. } = candidate;
    let source = source.as_str();
    match &probe.outcome {
        ProbeOutcome::AnotherCluster(uid) => Some(format!(
            "{url} (from {source}) is another cluster: its kube-system namespace has the UID {uid}"
        )),
        ProbeOutcome::AnotherAuthority(why) => Some(format!(
            "what answers at {url} (from {source}) does not have a certificate of the cluster's authority: {why}"
        )),
        ProbeOutcome::Same
        | ProbeOutcome::Authenticated
        | ProbeOutcome::Unreachable(_)
        | ProbeOutcome::NotDialled => None,
    }
}

/// Whether a URL leads back to the machine that dials it.
pub fn is_loopback(url: &str) -> bool {
    let host = host_of(url).to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => host.is_empty() || host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The host in a URL, without the brackets of an IPv6 address (RFC 3986 §3.2).
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(bracketed) = host_and_port.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or_default();
    }
    host_and_port
        .rsplit_once(':')
        .map_or(host_and_port, |(host, _)| host)
}

fn url_of(address: &str, port: u64) -> String {
    if address.contains(':') {
        format!("https://[{address}]:{port}")
    } else {
        format!("https://{address}:{port}")
    }
}

fn endpoint(seen: &ClusterInventory) -> Option<String> {
    seen.of_kind(kind::ENDPOINT_SLICE)
        .filter(|slice| {
            slice.namespace() == "default" && slice.label("kubernetes.io/service-name") == Some("kubernetes")
        })
        .find_map(|slice| {
            let ports = slice.list(&["ports"]);
            let port = ports
                .iter()
                .find(|port| port["name"] == "https")
                .or(ports.first())?["port"]
                .as_u64()?;
            let endpoint = slice
                .list(&["endpoints"])
                .iter()
                .find(|endpoint| endpoint["conditions"]["ready"] != false)?;
            let address = endpoint["addresses"][0].as_str()?;
            (!is_loopback(&url_of(address, port))).then(|| url_of(address, port))
        })
}

fn node(seen: &ClusterInventory) -> Option<String> {
    let of_control_plane = |node: &&Object| node.label("node-role.kubernetes.io/control-plane").is_some();
    seen.of_kind(kind::NODE)
        .filter(of_control_plane)
        .find_map(|node| {
            let addresses = node.list(&["status", "addresses"]);
            let of_type = |kind: &str| addresses.iter().find(|address| address["type"] == kind);
            let address = of_type("ExternalIP").or_else(|| of_type("InternalIP"))?["address"].as_str()?;
            // kube-apiserver's own default port; a load balancer in front would be in the kubeconfig.
            (!is_loopback(&url_of(address, 6443))).then(|| url_of(address, 6443))
        })
}

/// The authority that the cluster gives its own pods (the ConfigMap `kube-root-ca.crt`), PEM.
fn root_authority(seen: &ClusterInventory) -> String {
    seen.of_kind(kind::CONFIG_MAP)
        .filter(|map: &&Object| map.name() == "kube-root-ca.crt")
        .map(|map| map.text(&["data", "ca.crt"]))
        .find(|authority| !authority.is_empty())
        .map_or_else(|| seen.kubeconfig_authority.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(server: &str, endpoints: &[&str]) -> ClusterInventory {
        ClusterInventory {
            server: server.to_owned(),
            kubeconfig_authority: "KUBECONFIG".to_owned(),
            objects: vec![
                Object(json!({
                    "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                    "metadata": {"namespace": "default", "name": "kubernetes",
                                 "labels": {"kubernetes.io/service-name": "kubernetes"}},
                    "ports": [{"name": "https", "port": 6443}],
                    "endpoints": [{"addresses": endpoints}],
                })),
                Object(json!({
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"namespace": "kube-system", "name": "kube-root-ca.crt"}, "data": {"ca.crt": "OWN"},
                })),
            ],
            ..ClusterInventory::default()
        }
    }

    #[test]
    fn what_could_not_be_read_this_time_is_not_replaced_by_something_else() {
        use crate::inventory::{Failure, FailureClass};

        let spec = ClusterSpec::named("east".parse().unwrap());
        let mut named = spec.clone();
        named.api_server = Some("https://east.example.com".to_owned());
        let unread = |server: &str, resource: &str, class| {
            let mut seen = seen(server, &[]);
            seen.unread.push(Failure {
                class,
                verb: if resource.contains('/') { "get" } else { "list" }.to_owned(),
                resource: resource.to_owned(),
                message: "why".to_owned(),
            });
            seen
        };
        let kind_of =
            |spec: &ClusterSpec, seen: &ClusterInventory| not_known_now(spec, seen).map(|found| found.kind);
        let (local, public) = ("https://127.0.0.1:6443", "https://192.0.2.7");
        let slices = unread(local, "EndpointSlice default/kubernetes", FailureClass::Timeout);
        assert_eq!(kind_of(&spec, &slices).as_deref(), Some("EndpointSlice"));
        assert_eq!(kind_of(&named, &slices), None);
        let slices = unread(public, "EndpointSlice default/kubernetes", FailureClass::Timeout);
        assert_eq!(kind_of(&spec, &slices), None);
        // Whoever may not read it never will: what else there is has to do.
        let slices = unread(
            local,
            "EndpointSlice default/kubernetes",
            FailureClass::Permission,
        );
        assert_eq!(kind_of(&spec, &slices), None);
        let maps = unread(
            local,
            "ConfigMap kube-system/kube-root-ca.crt",
            FailureClass::Server,
        );
        assert_eq!(kind_of(&spec, &maps).as_deref(), Some("ConfigMap"));
        let maps = unread(local, "configmaps in istio-system", FailureClass::Server);
        assert_eq!(kind_of(&spec, &maps), None);
    }

    #[test]
    fn the_first_address_that_is_no_loopback_is_taken() {
        let mut spec = ClusterSpec::named("east".parse().unwrap());
        let found = |spec: &ClusterSpec, seen: &ClusterInventory| {
            candidate(spec, seen).map(|found| (found.url, found.source, found.authority))
        };
        let local = seen("https://127.0.0.1:6443", &["192.0.2.7"]);
        assert_eq!(
            found(&spec, &local),
            Ok((
                "https://192.0.2.7:6443".to_owned(),
                Source::Endpoints,
                "OWN".to_owned()
            ))
        );
        let cloud = seen("https://api.example/", &["192.0.2.7"]);
        assert_eq!(
            found(&spec, &cloud),
            Ok((
                "https://api.example".to_owned(),
                Source::Kubeconfig,
                "KUBECONFIG".to_owned()
            ))
        );
        assert!(found(&spec, &seen("https://localhost:6443", &["127.0.0.1"])).is_err());
        spec.api_server = Some("https://other.example:6443".to_owned());
        assert_eq!(
            found(&spec, &cloud),
            Ok((
                "https://other.example:6443".to_owned(),
                Source::FleetFile,
                "OWN".to_owned()
            ))
        );
        spec.api_server = Some("https://[::1]:6443".to_owned());
        assert!(found(&spec, &cloud).is_err());
    }

    #[test]
    fn loopback_has_many_names() {
        for url in [
            "https://127.0.0.1:1",
            "https://127.9.9.9",
            "https://[::1]:6443",
            "https://LOCALHOST:1/x",
            "https://a.localhost",
            "https://0.0.0.0:6443",
            "https://",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://10.0.0.1:6443",
            "https://api.example",
            "https://[2001:db8::1]:6443",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
