//! Where a remote finds the istiod of its primary: at the primary's east-west gateway, which passes
//! discovery (15012) and webhooks (15017) through (istio.io: "Install Primary-Remote"). Istio renders
//! a remote with that address in it; where the gateway has none yet, it is rendered with a stand-in,
//! and the address is laid in when it is known.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::values::{EXTERNAL_SERVICE, GATEWAY_NAME};
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::{Inventory, Object, kind};
use crate::plan::gate::service_addresses;
use crate::plan::{AwaitedAddress, Blocked, STAND_IN};

/// Where a remote finds the istiod of its primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// At these addresses.
    At(Vec<IpAddr>),
    /// At those that a Service of the primary will have been given.
    Awaited(AwaitedAddress),
}

/// Where a remote finds the istiod of its primary, and which that is, or why it cannot be said.
///
/// # Errors
///
/// Its primary cannot be read, gets no gateway by this fleet file, or has one that only a host name
/// leads to.
pub fn discovery<'fleet>(
    fleet: &'fleet Fleet,
    remote: &'fleet ClusterSpec,
    inventory: &Inventory,
) -> Result<(&'fleet ClusterSpec, Discovery), Blocked> {
    let blocked = |reason: String, hint: &str| Blocked {
        cluster: remote.name.clone(),
        area: Area::Mesh,
        reason,
        hint: Some(hint.to_owned()),
        unreachable: false,
    };
    let Some(primary) = fleet.served_by(remote) else {
        let reason = "it names no primary, so nothing is known of its istiod".to_owned();
        return Err(blocked(reason, "write `primary` for it in the fleet file"));
    };
    let name = &primary.name;
    let Some(seen) = inventory.seen(name) else {
        return Err(unread_primary(remote, name));
    };
    let offered_by = match primary.role {
        Role::External => EXTERNAL_SERVICE,
        Role::Primary | Role::Remote | Role::Config => GATEWAY_NAME,
    };
    let service = kind::SERVICE.reference(primary.system_namespace(), offered_by);
    let gateway = primary.gateway.as_ref();
    let written = gateway.map(|gateway| &gateway.addresses[..]).unwrap_or_default();
    let (found, of) = if !written.is_empty() {
        (written.to_vec(), "its gateway".to_owned())
    } else {
        let live = seen.object(&service);
        (
            live.map(service_addresses).unwrap_or_default(),
            service.to_string(),
        )
    };
    if !found.is_empty() {
        let at = addresses(&found).map_err(|why| {
            let reason = format!("its istiod in {name} has no address: of {of}, {why}");
            blocked(reason, WRITE_ADDRESSES)
        })?;
        return Ok((primary, Discovery::At(at)));
    }
    if !primary.manages(Area::Mesh) || gateway.is_some_and(|gateway| gateway.external) {
        let reason = format!("its istiod in {name} has no address: others make the gateway there");
        return Err(blocked(reason, WRITE_ADDRESSES));
    }
    Ok((
        primary,
        Discovery::Awaited(AwaitedAddress {
            cluster: name.clone(),
            service,
        }),
    ))
}

const WRITE_ADDRESSES: &str = "write the IP addresses at which its primary's gateway is reached: `gateway: {addresses: […]}` of the primary";

/// What a remote cannot do while its primary does not answer.
pub(super) fn unread_primary(remote: &ClusterSpec, primary: &ClusterName) -> Blocked {
    Blocked {
        cluster: remote.name.clone(),
        area: Area::Mesh,
        reason: format!("it waits until its primary {primary} can be read"),
        hint: None,
        unreachable: true,
    }
}

/// IP addresses from texts, each once and in an order of their own, since a balancer may list them in
/// any: those of version 4 first, so that a slice, which cannot change its version, keeps it. A host
/// name is none: the remote's API server would dial its port 443, where no gateway listens
/// (Kubernetes: `proxy.ResolveCluster` of an ExternalName).
///
/// # Errors
///
/// There is none, in words.
pub fn addresses(texts: &[String]) -> Result<Vec<IpAddr>, String> {
    let found: BTreeSet<IpAddr> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    match (found.is_empty(), texts.first()) {
        (false, _) => Ok(found.into_iter().collect()),
        (true, None) => Err("no address is known".to_owned()),
        (true, Some(name)) => Err(format!(
            "only the host name {name} is known, which a remote cannot use: its API server would dial its port 443"
        )),
    }
}

/// Whether an object was rendered with the stand-in in it.
pub fn has_stand_in(object: &Object) -> bool {
    object.0.to_string().contains(&STAND_IN.to_string())
}

/// The object with addresses in place of the stand-in. An EndpointSlice gets an endpoint for each of
/// the first one's version (it is of one version, and of several addresses of one endpoint only the
/// first is used: Kubernetes, `discovery/v1`); all else gets the first.
pub fn at_addresses(object: &Object, addresses: &[IpAddr]) -> Object {
    let Some(first) = addresses.first() else {
        return object.clone();
    };
    let mut laid = Object(laid_in(&object.0, *first));
    if object.is_of(kind::ENDPOINT_SLICE) {
        laid.0["addressType"] = json!(if first.is_ipv4() { "IPv4" } else { "IPv6" });
        let of_version = addresses
            .iter()
            .filter(|address| address.is_ipv4() == first.is_ipv4());
        let endpoints = of_version.flat_map(|address| {
            let each = object.list(&["endpoints"]).iter();
            each.map(|endpoint| laid_in(endpoint, *address))
        });
        laid.0["endpoints"] = endpoints.collect();
    }
    laid
}

fn laid_in(value: &Value, address: IpAddr) -> Value {
    match value {
        Value::String(text) => text.replace(&STAND_IN.to_string(), &address.to_string()).into(),
        Value::Array(items) => items.iter().map(|item| laid_in(item, address)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), laid_in(value, address)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_laid_in() {
        let slice = Object(
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [
            {"addresses": [STAND_IN.to_string()]}], "note": format!("at {STAND_IN}:15012")}),
        );
        assert!(has_stand_in(&slice));
        let texts = ["2001:db8::1", "192.0.2.2", "192.0.2.1", "192.0.2.2"].map(str::to_owned);
        let laid = at_addresses(&slice, &addresses(&texts).unwrap());
        let wanted = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [
            {"addresses": ["192.0.2.1"]}, {"addresses": ["192.0.2.2"]}], "note": "at 192.0.2.1:15012"});
        assert_eq!(laid.0, wanted);
        assert!(!has_stand_in(&laid));
        let sixth = at_addresses(&slice, &addresses(&texts[..1]).unwrap());
        assert_eq!(sixth.text(&["addressType"]), "IPv6");
    }

    #[test]
    fn a_host_name_is_no_address() {
        let why = addresses(&["lb.example.com".to_owned()]).unwrap_err();
        assert!(why.contains("lb.example.com"), "{why}");
        assert!(addresses(&[]).is_err());
    }
}
