//! Clusters that share a network, and addresses: there each pod and each Service must have an address of
//! its own (istio.io: "Deployment Models", "Single network").

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::fleet::{Area, ClusterSpec, Fleet, NetworkName, Role};
use crate::inventory::{ClusterInventory, Inventory, kind};
use crate::plan::Blocked;

const REFERENCE: &str = "https://istio.io/latest/docs/ops/deployment/deployment-models/#single-network";

/// Whether workloads of several clusters are on one network.
pub fn shares_networks(fleet: &Fleet) -> bool {
    by_network(fleet).values().any(|clusters| clusters.len() > 1)
}

fn by_network(fleet: &Fleet) -> BTreeMap<&NetworkName, Vec<&ClusterSpec>> {
    let mut networks: BTreeMap<&NetworkName, Vec<&ClusterSpec>> = BTreeMap::new();
    for cluster in fleet
        .spec
        .clusters
        .iter()
        .filter(|cluster| cluster.role != Role::External)
    {
        if let Some(network) = &cluster.network {
            networks.entry(network).or_default().push(cluster);
        }
    }
    networks
}

/// A range of addresses, and who has them.
struct Range<'fleet> {
    addresses: IpNet,
    cluster: &'fleet ClusterSpec,
    of: &'static str,
}

/// Clusters of one network that have addresses of each other, as far as the API servers say which they have:
/// each cluster once, where the fleet manages its mesh or the other's.
pub fn overlapping(fleet: &Fleet, inventory: &Inventory) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    for (network, clusters) in by_network(fleet) {
        let mut ranges: Vec<Range<'_>> = clusters
            .iter()
            .filter_map(|cluster| Some((*cluster, inventory.seen(&cluster.name)?)))
            .flat_map(|(cluster, seen)| ranges(cluster, seen))
            .collect();
        ranges.sort_by_key(|range| (range.addresses.network(), range.addresses.prefix_len()));
        let mut said = BTreeSet::new();
        let mut widest: Option<&Range<'_>> = None;
        for range in &ranges {
            let Some(before) = widest.filter(|before| before.addresses.contains(&range.addresses)) else {
                widest = Some(range);
                continue;
            };
            let managed = [before, range]
                .iter()
                .any(|range| range.cluster.manages(Area::Mesh));
            if before.cluster.name != range.cluster.name && managed && said.insert(&range.cluster.name) {
                blocked.push(Blocked {
                    cluster: range.cluster.name.clone(),
                    area: Area::Mesh,
                    reason: format!(
                        "its {} have addresses of {}, and the {} of {} have those of {}: on one network ({network}) \
                         each address must be one's own ({REFERENCE})",
                        range.of, range.addresses, before.of, before.cluster.name, before.addresses
                    ),
                    hint: Some(
                        "write another `network` for it: clusters on several networks reach each other through \
                         gateways"
                            .to_owned(),
                    ),
                    unreachable: false,
                });
            }
        }
    }
    blocked
}

/// The ranges of a cluster's addresses.
fn ranges<'fleet>(cluster: &'fleet ClusterSpec, seen: &ClusterInventory) -> Vec<Range<'fleet>> {
    let parsed = |texts: &[serde_json::Value]| -> Vec<IpNet> {
        let texts = texts.iter().filter_map(|text| text.as_str());
        texts.filter_map(|text| text.parse().ok()).collect()
    };
    let services = seen.of_kind(kind::SERVICE_CIDR);
    let services = services.flat_map(|range| parsed(range.list(&["spec", "cidrs"])));
    let nodes = seen.of_kind(kind::NODE);
    let nodes: Vec<IpNet> = nodes
        .flat_map(|node| parsed(node.list(&["spec", "podCIDRs"])))
        .collect();
    // A network plugin may give out addresses of its own choice, whatever was set aside for the nodes.
    let pods = pod_addresses(seen);
    let are_used = pods.is_empty()
        || pods
            .iter()
            .any(|pod| nodes.iter().any(|addresses| addresses.contains(pod)));
    let range = |of: &'static str| {
        move |addresses| Range {
            addresses,
            cluster,
            of,
        }
    };
    let nodes = nodes.into_iter().filter(|_| are_used);
    services
        .map(range("Services"))
        .chain(nodes.map(range("pods")))
        .collect()
}

/// The addresses of pods that have some of their own.
fn pod_addresses(seen: &ClusterInventory) -> Vec<IpAddr> {
    let pods = seen.of_kind(kind::POD);
    let own = pods.filter(|pod| pod.at(&["spec", "hostNetwork"]) != Some(&true.into()));
    let addresses = own.flat_map(|pod| pod.list(&["status", "podIPs"]));
    addresses
        .filter_map(|address| address["ip"].as_str()?.parse().ok())
        .collect()
}
