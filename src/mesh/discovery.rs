//! Where a remote finds the istiod of its primary: at the primary's east-west gateway, which passes
//! discovery (15012) and webhooks (15017) through (istio.io: "Install Primary-Remote"). Istio renders
//! a remote with that address in it; where the gateway has none yet, it is rendered with a stand-in,
//! and the address is laid in when it is known.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::values::GATEWAY_NAME;
use crate::fleet::{Area, ClusterSpec, Fleet};
use crate::inventory::{Inventory, Object, ObjectReference, Presence, kind};
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

/// Where a remote finds the istiod of its primary, or why it cannot be said.
///
/// # Errors
///
/// Its primary cannot be read, gets no gateway by this fleet file, or has one that only a host name
/// leads to.
pub fn discovery(fleet: &Fleet, remote: &ClusterSpec, inventory: &Inventory) -> Result<Discovery, Blocked> {
    let blocked = |reason: String, hint: &str, unreachable: bool| Blocked {
        cluster: remote.name.clone(),
        area: Area::Mesh,
        reason,
        hint: (!hint.is_empty()).then(|| hint.to_owned()),
        unreachable,
    };
    let Some(primary) = remote.primary.as_ref().and_then(|name| fleet.cluster(name)) else {
        let reason = "it names no primary, so nothing is known of its istiod".to_owned();
        return Err(blocked(reason, "write `primary` for it in the fleet file", false));
    };
    let name = &primary.name;
    if let Some(gateway) = primary.gateway.as_ref().filter(|gateway| gateway.external) {
        return addresses(&gateway.addresses).map(Discovery::At).map_err(|why| {
            let reason = format!("its istiod in {name} has no address: of the gateway there, {why}");
            blocked(
                reason,
                "write the gateway's IP addresses as `gateway.addresses`",
                false,
            )
        });
    }
    let Some(seen) = inventory.seen(name) else {
        let reason = format!("it waits until its primary {name} can be read");
        return Err(blocked(reason, "", true));
    };
    let service = ObjectReference::new(
        kind::SERVICE.api_version,
        kind::SERVICE.kind,
        primary.system_namespace(),
        GATEWAY_NAME,
    );
    let found = match seen.presence(&service) {
        Presence::Present(live) => service_addresses(live),
        Presence::Absent | Presence::Unknown => Vec::new(),
    };
    if !found.is_empty() {
        return addresses(&found).map(Discovery::At).map_err(|why| {
            let reason = format!("its istiod in {name} has no address: of {service}, {why}");
            blocked(reason, HOST_NAME_HINT, false)
        });
    }
    if !primary.manages(Area::Mesh) {
        let reason = format!("its istiod in {name} has no address: nobody has given {service} one");
        let hint = "add `mesh` to `manage` of the primary, or say where its gateway is: `gateway: {external: true, \
                    addresses: […]}`";
        return Err(blocked(reason, hint, false));
    }
    Ok(Discovery::Awaited(AwaitedAddress {
        cluster: name.clone(),
        service,
    }))
}

const HOST_NAME_HINT: &str = "have the load balancer give IP addresses, or write them: `gateway: {external: true, \
                              addresses: […]}` of the primary";

/// IP addresses from texts. A host name is none: the remote's API server would dial its port 443,
/// where no gateway listens (Kubernetes: `proxy.ResolveCluster` of an ExternalName).
///
/// # Errors
///
/// There is none, in words.
pub fn addresses(texts: &[String]) -> Result<Vec<IpAddr>, String> {
    let found: Vec<IpAddr> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    match (found.is_empty(), texts.first()) {
        (false, _) => Ok(found),
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

/// The object with addresses in place of the stand-in: all of them where a list has it (the
/// EndpointSlice, of one family, that of the first), else the first.
pub fn at_addresses(object: &Object, addresses: &[IpAddr]) -> Object {
    let Some(first) = addresses.first() else {
        return object.clone();
    };
    let family: Vec<Value> = addresses
        .iter()
        .filter(|address| address.is_ipv4() == first.is_ipv4())
        .map(|address| address.to_string().into())
        .collect();
    let mut object = Object(laid_in(&object.0, &first.to_string(), &family));
    if object.kind() == kind::ENDPOINT_SLICE.kind {
        object.0["addressType"] = json!(if first.is_ipv4() { "IPv4" } else { "IPv6" });
    }
    object
}

fn laid_in(value: &Value, first: &str, all: &[Value]) -> Value {
    let stand_in = STAND_IN.to_string();
    match value {
        Value::String(text) => text.replace(&stand_in, first).into(),
        Value::Array(items) if items.iter().any(|item| *item == stand_in) => all.to_vec().into(),
        Value::Array(items) => items.iter().map(|item| laid_in(item, first, all)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), laid_in(value, first, all)))
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
            json!({"kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [
            {"addresses": [STAND_IN.to_string()]}], "note": format!("at {STAND_IN}:15012")}),
        );
        assert!(has_stand_in(&slice));
        let texts = ["192.0.2.1", "2001:db8::1", "192.0.2.2"].map(str::to_owned);
        let laid = at_addresses(&slice, &addresses(&texts).unwrap());
        let wanted = json!({"kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [
            {"addresses": ["192.0.2.1", "192.0.2.2"]}], "note": "at 192.0.2.1:15012"});
        assert_eq!(laid.0, wanted);
        assert!(!has_stand_in(&laid));
        let sixth = at_addresses(&slice, &addresses(&texts[1..2]).unwrap());
        assert_eq!(sixth.text(&["addressType"]), "IPv6");
    }

    #[test]
    fn a_host_name_is_no_address() {
        let why = addresses(&["lb.example.com".to_owned()]).unwrap_err();
        assert!(why.contains("lb.example.com"), "{why}");
        assert!(addresses(&[]).is_err());
    }
}
