//! Whether traffic finds its way from one network into another.

use std::collections::BTreeSet;

use super::reach::quoted;
use crate::inventory::control_plane::is_rolled_out;
use crate::inventory::kind::{DEPLOYMENT, ISTIO_GATEWAY};
use crate::inventory::{ClusterInventory, Object, Replica};
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::report::AddressKind;
use crate::status::told::FEW;
use crate::status::view::{ClusterView, Gateway, HBONE_PORT, PASSTHROUGH_PORT, View};
use crate::words::some_of;

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "gateway-missing",
        severity: Severity::Error,
        title: "No gateway leads into a network",
        explanation: "The mesh spans networks, and no Service labelled topology.istio.io/network with this network is \
                      in any of its clusters. Proxies of other networks are then given addresses that they cannot \
                      reach.",
        hint: "`stolos apply` makes an east-west gateway; one of your own: `gateway` in the fleet file",
        restates_unread: false,
        check: missing,
    },
    Entry {
        code: "gateway-no-address",
        severity: Severity::Error,
        title: "A gateway has no address",
        explanation: "Peers learn a gateway's address from the Service's load balancer or external IPs. While there \
                      is none, the network behind it cannot be entered.",
        hint: "see why the load balancer gives none: `kubectl -n NAMESPACE describe service NAME`",
        restates_unread: false,
        check: no_address,
    },
    Entry {
        code: "gateway-port-missing",
        severity: Severity::Error,
        title: "A Service is labelled as a gateway and has no gateway's port",
        explanation: "istiod takes a labelled Service as a gateway only if it has port 15443 (or the one in the label \
                      networking.istio.io/gatewayPort) or 15008.",
        hint: "add the port 15443 to the Service, or take the label off",
        restates_unread: false,
        check: port_missing,
    },
    Entry {
        code: "gateway-not-ready",
        severity: Severity::Error,
        title: "A gateway's Deployment is not available",
        explanation: "The Service has an address, and nothing may be behind it. A gateway's pods are injected when \
                      they start: with istiod's webhook down, their image stays `auto`.",
        hint: "look at its pods: `kubectl -n NAMESPACE describe pods -l istio=eastwestgateway`",
        restates_unread: false,
        check: not_ready,
    },
    Entry {
        code: "gateway-unknown-to-peer",
        severity: Severity::Error,
        title: "An istiod does not know another network's gateway",
        explanation: "istiod reads the gateways of other networks through its links (`/debug/networkz`). As long as \
                      it knows none for a network, sidecars are given the raw addresses of its pods.",
        hint: "restart that istiod: `kubectl -n NAMESPACE rollout restart deployment istiod`",
        restates_unread: false,
        check: unknown_to_peer,
    },
    Entry {
        code: "gateway-stale-at-peer",
        severity: Severity::Error,
        title: "An istiod knows an address that is no gateway's any more",
        explanation: "Part of the traffic into that network goes to an address that the gateway's Service does not \
                      have.",
        hint: "restart that istiod: `kubectl -n NAMESPACE rollout restart deployment istiod`",
        restates_unread: false,
        check: stale_at_peer,
    },
    Entry {
        code: "services-not-exposed",
        severity: Severity::Error,
        title: "A cluster's services are not exposed to other networks",
        explanation: "An east-west gateway lets in only what a Gateway of Istio's tells it to: port 15443, \
                      AUTO_PASSTHROUGH, selecting the gateway's pods. Without it connections are reset.",
        hint: "`stolos apply` (Istio's `expose-services.yaml`)",
        restates_unread: false,
        check: not_exposed,
    },
];

fn gateways<'view, 'world>(
    view: &'view View<'world>,
) -> impl Iterator<Item = (&'view ClusterView<'world>, &'view Gateway)> {
    view.clusters.iter().flat_map(|cluster| {
        cluster
            .known_gateways()
            .iter()
            .map(move |gateway| (cluster, gateway))
    })
}

fn missing(view: &View<'_>) -> Vec<Found> {
    if !view.spans_networks() {
        return Vec::new();
    }
    let mut led_into: BTreeSet<&str> = gateways(view)
        .map(|(_, gateway)| gateway.network.as_str())
        .collect();
    for cluster in &view.clusters {
        let own = cluster.spec.and_then(|spec| spec.gateway.as_ref());
        if own.is_some_and(|gateway| gateway.external && !gateway.addresses.is_empty()) {
            led_into.extend(cluster.network());
        }
    }
    view.clusters
        .iter()
        // Where no istiod runs there is more to do first, and that has its own finding.
        .filter(|cluster| !cluster.gateways.is_unknown() && !cluster.control_planes.is_absent())
        .filter_map(|cluster| Some((cluster, cluster.network()?)))
        .filter(|(_, network)| !led_into.contains(network))
        .map(|(cluster, network)| {
            Found::within(
                cluster.name,
                format!("no gateway leads into its network {network}"),
            )
        })
        .collect()
}

fn no_address(view: &View<'_>) -> Vec<Found> {
    gateways(view)
        .filter(|(_, gateway)| gateway.addresses.is_empty() && !gateway.at_nodes && gateway.has_gateway_port)
        .map(|(cluster, gateway)| {
            let message = format!("Service {} has no address", gateway.called());
            Found::within(cluster.name, message).hint(format!(
                "see why: `kubectl --context {} -n {} describe service {}`",
                quoted(cluster.context),
                gateway.namespace,
                gateway.name
            ))
        })
        .collect()
}

fn port_missing(view: &View<'_>) -> Vec<Found> {
    gateways(view)
        .filter(|(_, gateway)| !gateway.has_gateway_port)
        .map(|(cluster, gateway)| {
            let message = format!(
                "Service {} is labelled for {} and has the ports {:?}, neither {PASSTHROUGH_PORT} nor {HBONE_PORT}",
                gateway.called(),
                gateway.network,
                gateway.ports
            );
            Found::within(cluster.name, message)
        })
        .collect()
}

/// The Deployment whose pods a gateway's Service selects.
fn deployment<'world>(inventory: &'world ClusterInventory, gateway: &Gateway) -> Option<&'world Object> {
    inventory.of_kind(DEPLOYMENT).find(|deployment| {
        let label = |key: &str| deployment.text(&["spec", "template", "metadata", "labels", key]);
        deployment.namespace() == gateway.namespace
            && !gateway.selector.is_empty()
            && gateway.selector.iter().all(|(key, value)| label(key) == value)
    })
}

fn not_ready(view: &View<'_>) -> Vec<Found> {
    gateways(view)
        .filter_map(|(cluster, gateway)| Some((cluster, gateway, deployment(cluster.seen.ok()?, gateway)?)))
        .filter(|(_, _, deployment)| !is_rolled_out(deployment))
        .map(|(cluster, gateway, deployment)| {
            let message = format!(
                "Deployment {}/{} behind Service {} is not rolled out and available",
                deployment.namespace(),
                deployment.name(),
                gateway.name
            );
            Found::within(cluster.name, message).hint(format!(
                "look at it: `kubectl --context {} -n {} describe deployment {}`",
                quoted(cluster.context),
                deployment.namespace(),
                deployment.name()
            ))
        })
        .collect()
}

fn replicas<'view, 'world>(
    view: &'view View<'world>,
) -> impl Iterator<Item = (&'view ClusterView<'world>, &'world Replica)> {
    view.control_planes()
        .flat_map(|(cluster, plane)| plane.replicas.iter().map(move |replica| (cluster, *replica)))
}

fn unknown_to_peer(view: &View<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (reader, replica) in replicas(view) {
        let Some(known) = replica.networkz.said() else {
            continue;
        };
        let known: BTreeSet<(&str, &str)> = known
            .iter()
            .map(|entry| (entry.network.as_str(), entry.addr.as_str()))
            .collect();
        let mut told = Vec::new();
        for cluster in read_by(view, reader, replica) {
            for gateway in cluster.known_gateways() {
                if !gateway.has_gateway_port || reader.network() == Some(gateway.network.as_str()) {
                    continue;
                }
                let unknown = unknown_addresses(&known, gateway);
                if !unknown.is_empty() {
                    told.push(format!(
                        "{} of {} in {} (network {})",
                        unknown.join(", "),
                        gateway.called(),
                        cluster.name,
                        gateway.network
                    ));
                }
            }
        }
        let told = few_or_one(told, |count| format!("{count} gateways"));
        found.extend(told.iter().map(|told| {
            let message = format!("{} does not know {told}", replica.pod);
            Found::within(reader.name, message).hint(restart(reader, replica))
        }));
    }
    found
}

/// What was found of one replica: each by itself where they are few, else all as one.
fn few_or_one(told: Vec<String>, many: impl Fn(usize) -> String) -> Vec<String> {
    if told.len() <= FEW {
        return told;
    }
    let some = some_of(told.iter().map(String::as_str));
    vec![format!("{}: {some}", many(told.len()))]
}

/// The clusters whose gateways a replica knows: its own, and those that it says it has read. Of a
/// cluster that it has not read it knows nothing, and the link says so.
fn read_by<'view, 'world>(
    view: &'view View<'world>,
    reader: &ClusterView<'_>,
    replica: &Replica,
) -> impl Iterator<Item = &'view ClusterView<'world>> {
    let listed = replica.clusterz.said().into_iter().flatten();
    let synced = listed.filter(|listed| listed.sync_status == "synced");
    let mut read: BTreeSet<usize> = synced.flat_map(|listed| view.with_id(&listed.id)).collect();
    read.extend(view.index(reader.name.as_str()));
    read.into_iter().map(|index| &view.clusters[index])
}

/// The addresses of a gateway that are not among the networks and addresses that are known.
fn unknown_addresses<'gateway>(
    known: &BTreeSet<(&str, &str)>,
    gateway: &'gateway Gateway,
) -> Vec<&'gateway str> {
    let network = gateway.network.as_str();
    let unknown = gateway.addresses.iter().filter(|address| match address.kind {
        AddressKind::IpAddress => !known.contains(&(network, address.value.as_str())),
        // istiod resolves names: what it knows is one of the name's addresses.
        AddressKind::Hostname => {
            let mut of_network = known.range((network, "")..);
            of_network.next().is_none_or(|(other, _)| *other != network)
        }
    });
    unknown.map(|address| address.value.as_str()).collect()
}

fn stale_at_peer(view: &View<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (reader, replica) in replicas(view) {
        let mut told = Vec::new();
        // Into its own network nobody goes through a gateway.
        let others = replica.networkz.said().into_iter().flatten();
        for entry in others.filter(|entry| reader.network() != Some(entry.network.as_str())) {
            let named = view.with_id(&entry.cluster).next();
            let named = named.map(|index| &view.clusters[index]);
            let Some((cluster, gateways)) =
                named.and_then(|cluster| Some((cluster, cluster.gateways.known()?)))
            else {
                continue;
            };
            // Only an address can be compared: those of names and of nodes are not read here.
            let is_comparable = |gateway: &Gateway| {
                let mut addresses = gateway.addresses.iter();
                !gateway.at_nodes && addresses.all(|address| address.kind == AddressKind::IpAddress)
            };
            let mut addresses = gateways.iter().flat_map(|gateway| &gateway.addresses);
            if gateways.iter().all(is_comparable) && !addresses.any(|address| address.value == entry.addr) {
                told.push(format!(
                    "for network {} to {}, which no gateway in {} has",
                    entry.network, entry.addr, cluster.name
                ));
            }
        }
        let told = few_or_one(told, |count| {
            format!("to {count} addresses that are no gateway's")
        });
        found.extend(told.iter().map(|told| {
            let message = format!("{} sends traffic {told}", replica.pod);
            Found::within(reader.name, message).hint(restart(reader, replica))
        }));
    }
    found
}

fn restart(reader: &ClusterView<'_>, replica: &Replica) -> String {
    format!(
        "if it stays so, restart that istiod: `kubectl --context {} -n {} delete pod {}`",
        quoted(reader.context),
        replica.namespace,
        replica.pod
    )
}

fn not_exposed(view: &View<'_>) -> Vec<Found> {
    if !view.spans_networks() {
        return Vec::new();
    }
    view.seen()
        .filter(|(cluster, _)| !cluster.planes().is_empty())
        .filter(|(_, inventory)| inventory.was_listed(ISTIO_GATEWAY.api_version, ISTIO_GATEWAY.kind, ""))
        .filter_map(|(cluster, inventory)| {
            let passes = |gateway: &&Gateway| gateway.ports.contains(&PASSTHROUGH_PORT);
            let passing: Vec<&Gateway> = cluster.known_gateways().iter().filter(passes).collect();
            let exposed = inventory.of_kind(ISTIO_GATEWAY).any(|exposing| {
                passing
                    .iter()
                    .any(|gateway| exposes(inventory, exposing, gateway))
            });
            let names: Vec<String> = passing.iter().map(|gateway| gateway.called()).collect();
            let message = format!(
                "no Gateway with AUTO_PASSTHROUGH selects the pods of {}",
                names.join(", ")
            );
            (!passing.is_empty() && !exposed).then(|| Found::within(cluster.name, message))
        })
        .collect()
}

/// Whether one of Istio's Gateways lets traffic through a gateway's pods.
fn exposes(inventory: &ClusterInventory, exposing: &Object, gateway: &Gateway) -> bool {
    let servers = exposing.list(&["spec", "servers"]);
    let selector = exposing
        .at(&["spec", "selector"])
        .and_then(serde_json::Value::as_object);
    let template = deployment(inventory, gateway);
    servers
        .iter()
        .any(|server| server["tls"]["mode"] == "AUTO_PASSTHROUGH")
        && selector.into_iter().flatten().all(|(key, value)| {
            let label =
                template.map(|template| template.text(&["spec", "template", "metadata", "labels", key]));
            let selected = gateway.selector.iter().find(|(own, _)| own == key);
            label.is_some_and(|label| value == label)
                || selected.is_some_and(|(_, own)| value.as_str() == Some(own.as_str()))
        })
}
