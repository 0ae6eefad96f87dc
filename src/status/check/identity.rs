//! Whether the control planes agree about who they are: versions, cluster IDs, mesh, trust domain.

use std::collections::BTreeMap;

use crate::inventory::{ControlPlane, Fact};
use crate::status::catalogue::{Entry, Found, Severity};
use crate::status::view::{ClusterView, View};
use crate::words::{SHOWN, number, some_of};

/// This area's part of the catalogue.
pub const ENTRIES: &[Entry] = &[
    Entry {
        code: "version-skew",
        severity: Severity::Warning,
        title: "The clusters run different versions of Istio",
        explanation: "Primaries of one mesh may differ by one minor version while an upgrade is under way.",
        hint: "finish the upgrade: the same `spec.mesh.version` for all, then `stolos apply`",
        restates_unread: false,
        check: version_skew,
    },
    Entry {
        code: "cluster-id-differs",
        severity: Severity::Error,
        title: "A cluster goes by different cluster IDs",
        explanation: "istiod's CLUSTER_ID, the cluster name in the injector's values, the key of the remote secret in \
                      its peers and the name in the fleet file must all be the same: istiod looks up the API server \
                      that vouches for a proxy by the ID that the proxy brings (`client claims to be in cluster …`).",
        hint: "set `global.multiCluster.clusterName` to the cluster's name, in all of them",
        restates_unread: false,
        check: id_differs,
    },
    Entry {
        code: "cluster-id-duplicate",
        severity: Severity::Error,
        title: "Two clusters go by the same cluster ID",
        explanation: "istiod ignores a remote secret whose key is its own ID, so that neither sees the other.",
        hint: "give each its own `global.multiCluster.clusterName`",
        restates_unread: false,
        check: id_duplicate,
    },
    Entry {
        code: "cluster-id-default",
        severity: Severity::Warning,
        title: "A control plane goes by Istio's default cluster ID",
        explanation: "`Kubernetes` is what istiod calls its cluster where nobody named it. The second cluster that \
                      joins will have the same ID.",
        hint: "set `global.multiCluster.clusterName`",
        restates_unread: false,
        check: id_default,
    },
    Entry {
        code: "mesh-id-differs",
        severity: Severity::Error,
        title: "The clusters have different mesh IDs",
        explanation: "Clusters of one mesh share `global.meshID`; telemetry and policy tell meshes apart by it.",
        hint: "set the same `global.meshID` everywhere (`spec.mesh.meshID` in the fleet file)",
        restates_unread: false,
        check: mesh_id_differs,
    },
    Entry {
        code: "trust-domain-differs",
        severity: Severity::Error,
        title: "The clusters have different trust domains",
        explanation: "An identity of another trust domain is refused, unless it is among `trustDomainAliases`.",
        hint: "set the same `meshConfig.trustDomain` everywhere, or name the other in `trustDomainAliases`",
        restates_unread: false,
        check: trust_domain_differs,
    },
];

/// What the fleet file is called among the clusters that say something.
const FLEET_FILE: &str = "the fleet file";

/// A control plane as messages call it.
pub fn called(plane: &ControlPlane<'_>) -> String {
    format!("{}/{} (revision {})", plane.namespace, plane.name, plane.revision)
}

/// Values, with who has each.
type Holders<'view> = BTreeMap<&'view str, Vec<&'view str>>;

/// The values of a fact over all control planes, with the clusters that have each.
fn by_value<'view, 'world>(
    view: &'view View<'world>,
    fact: impl Fn(&'view ControlPlane<'world>) -> Option<&'view str>,
) -> Holders<'view> {
    let mut values = Holders::new();
    for (cluster, plane) in view.control_planes() {
        if let Some(value) = fact(plane) {
            let clusters = values.entry(value).or_default();
            if clusters.last() != Some(&cluster.name.as_str()) {
                clusters.push(cluster.name.as_str());
            }
        }
    }
    values
}

fn listed(values: &Holders<'_>) -> Found {
    let told = |value: &&str, holders: &[&str]| format!("{value} in {}", some_of(holders.iter().copied()));
    Found::between(few_kinds(values, told))
}

/// Kinds of clusters in words: all of a few, of many those that have the most clusters.
pub fn few_kinds<Kind: Ord>(
    kinds: &BTreeMap<Kind, Vec<&str>>,
    told: impl Fn(&Kind, &[&str]) -> String,
) -> String {
    let mut sorted: Vec<(&Kind, &Vec<&str>)> = kinds.iter().collect();
    if sorted.len() > SHOWN {
        sorted.sort_by_key(|(_, clusters)| std::cmp::Reverse(clusters.len()));
    }
    let (first, rest) = sorted.split_at(SHOWN.min(sorted.len()));
    let mut words: Vec<String> = first
        .iter()
        .map(|(kind, clusters)| told(kind, clusters))
        .collect();
    if !rest.is_empty() {
        let clusters: usize = rest.iter().map(|(_, clusters)| clusters.len()).sum();
        words.push(format!("{} more in {}", rest.len(), number(clusters, "cluster")));
    }
    words.join("; ")
}

fn version_skew(view: &View<'_>) -> Vec<Found> {
    let versions = by_value(view, |plane| plane.version());
    let found = (versions.len() > 1).then(|| listed(&versions));
    found.into_iter().collect()
}

fn id_differs(view: &View<'_>) -> Vec<Found> {
    view.control_planes()
        .filter_map(|(cluster, plane)| {
            let own = plane.effective_cluster_id()?;
            let injected = plane
                .injected_cluster_id
                .known()
                .filter(|injected| *injected != own);
            let named = cluster
                .spec
                .and_then(|spec| view.fleet?.configures(spec).or(Some(spec)))
                .map(|spec| spec.name.as_str())
                .filter(|named| *named != own);
            let mut words = vec![format!("istiod goes by {own}")];
            words.extend(injected.map(|injected| format!("the proxies that it injects by {injected}")));
            words.extend(named.map(|named| format!("{FLEET_FILE} by {named}")));
            let message = format!("{}: {}", called(plane), words.join(", "));
            (words.len() > 1).then(|| Found::within(cluster.name, message))
        })
        .collect()
}

fn id_duplicate(view: &View<'_>) -> Vec<Found> {
    by_value(view, ControlPlane::effective_cluster_id)
        .into_iter()
        .filter(|(_, clusters)| clusters.len() > 1)
        .map(|(id, clusters)| Found::between(format!("{} all go by {id:?}", some_of(clusters))))
        .collect()
}

fn id_default(view: &View<'_>) -> Vec<Found> {
    view.control_planes()
        .filter(|(_, plane)| plane.effective_cluster_id() == Some("Kubernetes"))
        .map(|(cluster, plane)| {
            Found::within(cluster.name, format!("{} goes by `Kubernetes`", called(plane)))
        })
        .collect()
}

fn mesh_id_differs(view: &View<'_>) -> Vec<Found> {
    let mut ids = by_value(view, |plane| match &plane.mesh_id {
        Fact::Known(id) => Some(id),
        Fact::Absent => Some("no mesh ID"),
        Fact::Unknown => None,
    });
    if let (Some(fleet), false) = (view.fleet, ids.is_empty()) {
        ids.entry(fleet.mesh_id()).or_default().push(FLEET_FILE);
    }
    let found = (ids.len() > 1).then(|| listed(&ids));
    found.into_iter().collect()
}

fn trust_domain_differs(view: &View<'_>) -> Vec<Found> {
    let domains = by_value(view, |plane| plane.trust_domain.known().map(String::as_str));
    let accepts = |cluster: &ClusterView<'_>, domain: &str| {
        cluster.planes().iter().all(|plane| {
            plane.trust_domain.known().is_none_or(|own| own == domain)
                || plane.trust_domain_aliases.iter().any(|alias| alias == domain)
        })
    };
    let refused = domains
        .keys()
        .any(|domain| view.clusters.iter().any(|cluster| !accepts(cluster, domain)));
    let found = refused.then(|| listed(&domains));
    found.into_iter().collect()
}
