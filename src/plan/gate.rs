//! What a step waits for, as pure predicates: each says what is still missing, so that a wait that
//! runs out can say it too.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Gate;
use crate::inventory::kind::DAEMON_SET;
use crate::inventory::{Object, Proxy, Replica, Said};
use crate::mesh::values::GATEWAY_NAME;
use crate::words::some_of;

/// The synchronisation state in which an istiod has read a remote cluster once (Istio:
/// `pkg/kube/multicluster/cluster.go`).
const SYNCED: &str = "synced";

impl Gate {
    /// Whether the gate is judged by what istiod's replicas say, not by an object.
    pub fn asks_istiod(&self) -> bool {
        matches!(self, Gate::Synced(_) | Gate::GatewayKnown(_) | Gate::Unused(_))
    }

    /// Whether it is judged by who is connected to those replicas.
    pub fn asks_proxies(&self) -> bool {
        matches!(self, Gate::Unused(_))
    }

    /// What is still missing of an object; `None` when the gate is open.
    pub fn missing_of(&self, object: Option<&Object>) -> Option<String> {
        let Some(object) = object else {
            return match self {
                Gate::Gone => None,
                _ => Some("it does not stand yet".to_owned()),
            };
        };
        match self {
            Gate::Gone => Some("it still stands".to_owned()),
            Gate::Condition(condition) => (!object.has_condition(condition))
                .then(|| format!("its condition {condition} does not hold yet")),
            Gate::RolledOut => missing_of_rollout(object),
            Gate::Address => service_addresses(object)
                .is_empty()
                .then(|| "no load balancer address has been given to it yet".to_owned()),
            Gate::TokenFilled => {
                let filled = |key| !object.text(&["data", key]).is_empty();
                (!filled("token") || !filled("ca.crt"))
                    .then(|| "the token controller has not filled it yet".to_owned())
            }
            Gate::CaBundle => object
                .list(&["webhooks"])
                .iter()
                .find(|webhook| {
                    let bundle = webhook.pointer("/clientConfig/caBundle");
                    bundle.and_then(Value::as_str).unwrap_or_default().is_empty()
                })
                .map(|webhook| {
                    let name = webhook["name"].as_str().unwrap_or_default();
                    format!("istiod has not given its webhook {name} a CA bundle yet")
                }),
            Gate::Synced(_) | Gate::GatewayKnown(_) | Gate::Unused(_) => {
                Some("istiod was not asked".to_owned())
            }
        }
    }

    /// What is still missing in the words of istiod's replicas; `None` when the gate is open.
    pub fn missing_of_replicas(&self, replicas: &[Replica]) -> Option<String> {
        if let Gate::Unused(revision) = self {
            let replicas = replicas.iter().filter(|replica| replica.revision == *revision);
            return missing_of_disuse(replicas);
        }
        if replicas.is_empty() {
            return Some("no istiod is running".to_owned());
        }
        replicas.iter().find_map(|replica| {
            let missing = match self {
                Gate::Synced(cluster) => missing_of_sync(replica, cluster),
                Gate::GatewayKnown(network) => missing_of_gateway(replica, network),
                _ => None,
            };
            missing.map(|missing| format!("{}: {missing}", replica.pod))
        })
    }
}

/// Which proxies are still connected to these istiods, as far as they say so; one that runs no more has
/// none.
fn missing_of_disuse<'seen>(replicas: impl Iterator<Item = &'seen Replica>) -> Option<String> {
    let mut connected = BTreeSet::new();
    for replica in replicas {
        match &replica.proxies {
            Said::Said(_) => connected.extend(others_connected(replica).map(ToString::to_string)),
            // One that does not come up has nobody.
            Said::Silent(_) if !replica.ready => {}
            Said::Silent(failure) => return Some(format!("{}: {failure}", replica.pod)),
        }
    }
    (!connected.is_empty()).then(|| {
        format!(
            "connected to it is still {}: restart those pods (`kubectl rollout restart`), or apply again when they \
             have connected anew",
            some_of(connected.iter().map(String::as_str))
        )
    })
}

/// The proxies that an istiod says are connected to it, but the fleet's own.
pub fn others_connected(replica: &Replica) -> impl Iterator<Item = &Proxy> {
    let proxies = replica.proxies.said().into_iter().flatten();
    proxies.filter(|proxy| !is_fleets_own(proxy, replica))
}

/// Whether a proxy is the east-west gateway beside an istiod, or one of ambient's on a node.
fn is_fleets_own(proxy: &Proxy, replica: &Replica) -> bool {
    let is_of = |name: &str| {
        proxy
            .pod
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('-'))
    };
    proxy.namespace == replica.namespace && [GATEWAY_NAME, "ztunnel"].into_iter().any(is_of)
}

fn missing_of_sync(replica: &Replica, cluster: &str) -> Option<String> {
    let entries = match &replica.clusterz {
        Said::Said(entries) => entries,
        Said::Silent(failure) => return Some(failure.to_string()),
    };
    match entries.iter().find(|entry| entry.id == cluster) {
        None => Some(format!("it does not know the cluster {cluster} yet")),
        Some(entry) if entry.sync_status == SYNCED => None,
        Some(entry) => Some(format!(
            "it says `{}` of the cluster {cluster}",
            entry.sync_status
        )),
    }
}

fn missing_of_gateway(replica: &Replica, network: &str) -> Option<String> {
    let gateways = match &replica.networkz {
        Said::Said(gateways) => gateways,
        Said::Silent(failure) => return Some(failure.to_string()),
    };
    let known = gateways
        .iter()
        .any(|gateway| gateway.network == network && !gateway.addr.is_empty());
    (!known).then(|| format!("it knows no gateway of the network {network} yet"))
}

fn missing_of_rollout(workload: &Object) -> Option<String> {
    let number = |path: &[&str]| workload.at(path).and_then(Value::as_u64).unwrap_or_default();
    if number(&["status", "observedGeneration"]) < number(&["metadata", "generation"]) {
        return Some("its controller has not seen the change yet".to_owned());
    }
    let status = |field: &str| number(&["status", field]);
    match workload.is_of(DAEMON_SET) {
        true => missing_of_daemons(status),
        false => missing_of_pods(workload, status),
    }
}

fn missing_of_pods(deployment: &Object, status: impl Fn(&str) -> u64) -> Option<String> {
    let wanted = deployment
        .at(&["spec", "replicas"])
        .and_then(Value::as_u64)
        .unwrap_or(1);
    let updated = status("updatedReplicas");
    if updated < wanted {
        return Some(format!("{updated} of {wanted} pods are new"));
    }
    if status("replicas") > updated {
        return Some("old pods are still there".to_owned());
    }
    let available = status("availableReplicas");
    (available < wanted).then(|| format!("{available} of {wanted} pods are available"))
}

/// The same of a DaemonSet, as `kubectl rollout status` has it.
fn missing_of_daemons(status: impl Fn(&str) -> u64) -> Option<String> {
    let wanted = status("desiredNumberScheduled");
    let (updated, available) = (status("updatedNumberScheduled"), status("numberAvailable"));
    match (updated < wanted, available < wanted) {
        (true, _) => Some(format!("{updated} of {wanted} nodes have the new one")),
        (false, true) => Some(format!("it is available on {available} of {wanted} nodes")),
        (false, false) => None,
    }
}

/// The addresses at which a Service can be reached from outside its cluster: its load balancer's
/// IPs and host names, and its external IPs.
pub fn service_addresses(service: &Object) -> Vec<String> {
    let balancers = service
        .list(&["status", "loadBalancer", "ingress"])
        .iter()
        .filter_map(|ingress| ingress["ip"].as_str().or(ingress["hostname"].as_str()));
    let external = service
        .list(&["spec", "externalIPs"])
        .iter()
        .filter_map(Value::as_str);
    balancers.chain(external).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(replicas: u64, updated: u64, all: u64, available: u64, observed: u64) -> Object {
        Object(json!({
            "metadata": {"generation": 2}, "spec": {"replicas": replicas},
            "status": {"observedGeneration": observed, "updatedReplicas": updated, "replicas": all,
                       "availableReplicas": available},
        }))
    }

    fn istiod(revision: &str, connected: &[(&str, &str)]) -> Replica {
        let proxy = |(namespace, pod): &(&str, &str)| json!({"namespace": namespace, "pod": pod});
        let proxies: Vec<Value> = connected.iter().map(proxy).collect();
        serde_json::from_value(json!({
            "namespace": "istio-system", "pod": "istiod-1", "revision": revision, "ready": true,
            "version": {"said": "1.31.2"}, "clusterz": {"said": []}, "networkz": {"said": []},
            "proxies": {"said": proxies},
        }))
        .expect("a replica")
    }

    #[test]
    fn a_control_plane_is_unused_when_only_the_fleets_own_hang_on_it() {
        let gate = Gate::Unused("default".to_owned());
        let own = [
            ("istio-system", "istio-eastwestgateway-7d9-x"),
            ("istio-system", "ztunnel-x"),
        ];
        assert_eq!(gate.missing_of_replicas(&[istiod("default", &own)]), None);
        assert_eq!(gate.missing_of_replicas(&[]), None, "one that is gone has none");
        let others = istiod("default", &[("shop", "cart-1"), ("shop", "ztunnel-x")]);
        let missing = gate.missing_of_replicas(&[istiod("default", &own), others.clone()]);
        assert_eq!(
            missing.as_deref(),
            Some(
                "connected to it is still shop/cart-1, shop/ztunnel-x: restart those pods (`kubectl rollout restart`), \
                 or apply again when they have connected anew"
            )
        );
        let canary = Replica {
            revision: "canary".to_owned(),
            ..others
        };
        assert_eq!(gate.missing_of_replicas(&[canary]), None, "another revision's");
    }

    #[test]
    fn daemons_are_rolled_out_when_every_node_has_the_new_one() {
        let daemons = |observed: u64, updated: u64, available: u64| {
            Object(json!({
                "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"generation": 2},
                "status": {"observedGeneration": observed, "desiredNumberScheduled": 3,
                           "updatedNumberScheduled": updated, "numberAvailable": available},
            }))
        };
        assert_eq!(Gate::RolledOut.missing_of(Some(&daemons(2, 3, 3))), None);
        for unfinished in [daemons(1, 3, 3), daemons(2, 2, 3), daemons(2, 3, 2)] {
            assert!(Gate::RolledOut.missing_of(Some(&unfinished)).is_some());
        }
    }

    #[test]
    fn a_rollout_is_over_when_only_new_pods_are_there_and_all_serve() {
        let missing = |object: &Object| Gate::RolledOut.missing_of(Some(object));
        assert_eq!(missing(&deployment(2, 2, 2, 2, 2)), None);
        for unfinished in [
            deployment(2, 2, 2, 2, 1),
            deployment(2, 1, 2, 2, 2),
            deployment(2, 2, 3, 2, 2),
            deployment(2, 2, 2, 1, 2),
        ] {
            assert!(missing(&unfinished).is_some());
        }
        assert!(Gate::RolledOut.missing_of(None).is_some());
    }

    #[test]
    fn an_address_is_an_ip_or_a_host_name() {
        let service = |ingress: Value| Object(json!({"status": {"loadBalancer": {"ingress": ingress}}}));
        assert!(Gate::Address.missing_of(Some(&service(json!([])))).is_some());
        assert_eq!(
            Gate::Address.missing_of(Some(&service(json!([{"ip": "192.0.2.1"}])))),
            None
        );
        assert_eq!(
            service_addresses(&service(json!([{"hostname": "lb.example"}]))),
            ["lb.example"]
        );
    }
}
