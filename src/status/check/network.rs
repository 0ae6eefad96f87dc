//! Whether each cluster's pods are said to be in the network that they are in.

use std::collections::BTreeSet;

use super::reach::quoted;
use crate::fleet::NetworkName;
use crate::inventory::control_plane::NETWORK_LABEL;
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::view::View;

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "network-label-missing",
        severity: Severity::Error,
        title: "The system namespace does not say which network the cluster is in",
        explanation: "istiod takes the network of endpoints from the label topology.istio.io/network of its own \
                      system namespace. Without it, pods of that cluster count as in no network, and proxies \
                      elsewhere dial their addresses directly, which times out across networks.",
        hint: "`stolos apply`, or label the namespace with topology.istio.io/network",
        restates_unread: false,
        check: label_missing,
    },
    Entry {
        code: "network-label-differs",
        severity: Severity::Error,
        title: "A cluster is said to be in different networks",
        explanation: "The system namespace's label decides for endpoints, the injector's `global.network` for \
                      proxies, the fleet file for what is planned. Where they differ, proxies dial addresses that \
                      they cannot reach, or go through a gateway to their own network.",
        hint: "make them the same: the namespace's label, `global.network`, `network` in the fleet file",
        restates_unread: false,
        check: label_differs,
    },
];

fn label_missing(view: &View<'_>) -> Vec<Found> {
    view.control_planes()
        .filter(|(_, plane)| plane.network.is_absent())
        // In a mesh of one network nobody needs it, and where no workloads run.
        .filter(|(cluster, _)| !cluster.is_external())
        .filter(|(cluster, _)| cluster.network().is_some() || view.spans_networks())
        .map(|(cluster, plane)| {
            let message = format!("namespace {} lacks the label {NETWORK_LABEL}", plane.namespace);
            Found::within(cluster.name, message).hint(format!(
                "`kubectl --context {} label namespace {} {NETWORK_LABEL}={}`",
                quoted(cluster.context),
                plane.namespace,
                cluster.network().unwrap_or("NETWORK")
            ))
        })
        .collect()
}

fn label_differs(view: &View<'_>) -> Vec<Found> {
    view.control_planes()
        .filter(|(cluster, _)| !cluster.is_external())
        .filter_map(|(cluster, plane)| {
            let file = cluster.spec.and_then(|spec| spec.network.as_ref());
            let said = [
                ("the namespace's label", plane.network.known().map(String::as_str)),
                (
                    "the injector's values",
                    plane.injected_network.known().map(String::as_str),
                ),
                ("the fleet file", file.map(NetworkName::as_str)),
            ];
            let said: Vec<(&str, &str)> = said
                .into_iter()
                .filter_map(|(who, network)| Some((who, network?)))
                .collect();
            let networks: BTreeSet<&str> = said.iter().map(|(_, network)| *network).collect();
            let words: Vec<String> = said
                .iter()
                .map(|(who, network)| format!("{who} says {network}"))
                .collect();
            (networks.len() > 1).then(|| Found::within(cluster.name, words.join(", ")))
        })
        .collect()
}
