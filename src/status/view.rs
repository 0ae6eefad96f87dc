//! What the checks look at: each cluster's inventory with what follows from it, inferred once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::bundles::Bundles;
use super::link_report::Links;
use super::links::links;
use super::report::{Address, AddressKind};
use super::trust_view::Trust;
use crate::fleet::{ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::control_plane::{NETWORK_LABEL, led_by, namespace_network};
use crate::inventory::kind::{SECRET, SERVICE};
use crate::inventory::{
    ClusterInventory, ControlPlane, Fact, Failure, Inventory, Observation, RemoteSecret, RemoteSecretEntry,
    control_planes,
};
use crate::link::secret::CONFIGURATION_KEY;
use crate::trust::RootOnHand;

/// The port at which a gateway passes mutual TLS through to its network.
pub const PASSTHROUGH_PORT: u64 = 15443;
/// The port at which an ambient gateway takes HBONE.
pub const HBONE_PORT: u64 = 15008;

/// The mesh as it was seen.
pub struct View<'world> {
    /// When.
    pub at: Timestamp,
    /// What the fleet file says, where there is one.
    pub fleet: Option<&'world Fleet>,
    /// The root on this machine, where somebody looked.
    pub root: Option<&'world RootOnHand>,
    /// Every cluster of the inventory, by name.
    pub clusters: Vec<ClusterView<'world>>,
    /// Every link, with its state.
    pub links: Links,
    /// Certificates that were parsed.
    pub bundles: Bundles,
    /// The clusters' indexes, by cluster ID and then by name.
    by_id: Vec<usize>,
    has_unread: bool,
    spans_networks: bool,
}

/// One cluster as it was seen.
pub struct ClusterView<'world> {
    /// Its name.
    pub name: &'world ClusterName,
    /// What the fleet file says of it.
    pub spec: Option<&'world ClusterSpec>,
    /// The kubeconfig context.
    pub context: &'world str,
    /// What it said, or why it said nothing.
    pub seen: Result<&'world ClusterInventory, &'world Failure>,
    /// Its control planes.
    pub control_planes: Fact<Vec<ControlPlane<'world>>>,
    /// Its cross-network gateways.
    pub gateways: Fact<Vec<Gateway>>,
    /// Whom it trusts and who signs in it.
    pub trust: Trust<'world>,
}

/// A Service that is labelled as a network's gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Gateway {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The network that its label names.
    pub network: String,
    /// Where it is reached.
    pub addresses: Vec<Address>,
    /// The ports of the Service.
    pub ports: Vec<u64>,
    /// The labels that its pods have at least.
    pub selector: Vec<(String, String)>,
    /// Whether it is reached at its nodes' addresses, which are not read here.
    pub at_nodes: bool,
    /// Whether it has a port that istiods take as a gateway's.
    pub has_gateway_port: bool,
}

impl<'world> View<'world> {
    /// The view of an inventory.
    pub fn new(
        inventory: &'world Inventory,
        fleet: Option<&'world Fleet>,
        root: Option<&'world RootOnHand>,
        at: Timestamp,
    ) -> Self {
        let specs = specs(fleet);
        let bundles = Bundles::default();
        let clusters: Vec<ClusterView<'_>> = inventory
            .clusters
            .iter()
            .map(|(name, observation)| {
                ClusterView::new(name, observation, specs.get(name).copied(), &bundles)
            })
            .collect();
        let mut by_id: Vec<usize> = (0..clusters.len()).collect();
        by_id.sort_by_key(|index| clusters[*index].cluster_id());
        let networks: BTreeSet<&str> = clusters.iter().filter_map(ClusterView::network).collect();
        let spans_networks = networks.len() > 1;
        let mut view = Self {
            at,
            fleet,
            root,
            by_id,
            has_unread: clusters.iter().any(|cluster| cluster.seen.is_err()),
            spans_networks,
            bundles,
            clusters,
            links: Links::default(),
        };
        view.links = links(&view);
        view
    }

    /// Every cluster that answered.
    pub fn seen(&self) -> impl Iterator<Item = (&ClusterView<'world>, &'world ClusterInventory)> {
        self.clusters
            .iter()
            .filter_map(|cluster| cluster.seen.ok().map(|inventory| (cluster, inventory)))
    }

    /// Every control plane of every cluster that answered.
    pub fn control_planes(&self) -> impl Iterator<Item = (&ClusterView<'world>, &ControlPlane<'world>)> {
        self.clusters
            .iter()
            .flat_map(|cluster| cluster.planes().iter().map(move |plane| (cluster, plane)))
    }

    /// Whether traffic crosses from one network to another, as far as networks are known.
    pub fn spans_networks(&self) -> bool {
        self.spans_networks
    }

    /// Whether a cluster ID may be that of a cluster that did not answer.
    pub fn may_be_unreachable(&self, id: &str) -> bool {
        let mut with_id = self.with_id(id);
        self.has_unread && !with_id.any(|index| self.clusters[index].seen.is_ok())
    }

    /// The indexes of the clusters whose istiods go by an ID, in order.
    pub fn with_id<'view>(&'view self, id: &'view str) -> impl Iterator<Item = usize> + 'view {
        let id_of = |index: &usize| self.clusters[*index].cluster_id();
        let first = self.by_id.partition_point(|index| id_of(index) < id);
        let rest = self.by_id[first..].iter().copied();
        rest.take_while(move |index| id_of(index) == id)
    }

    /// The index of the cluster that has a name here.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.clusters
            .binary_search_by(|cluster| cluster.name.as_str().cmp(name))
            .ok()
    }

    /// A cluster by the name that it has here.
    pub fn cluster(&self, name: &str) -> Option<&ClusterView<'world>> {
        self.clusters.get(self.index(name)?)
    }
}

/// What a fleet file says of each cluster, by name.
pub fn specs(fleet: Option<&Fleet>) -> BTreeMap<&ClusterName, &ClusterSpec> {
    let mut specs = BTreeMap::new();
    for spec in fleet.into_iter().flat_map(|fleet| &fleet.spec.clusters) {
        specs.entry(&spec.name).or_insert(spec);
    }
    specs
}

impl<'world> ClusterView<'world> {
    /// The view of one cluster, with what the fleet file says of it.
    pub fn new(
        name: &'world ClusterName,
        observation: &'world Observation,
        spec: Option<&'world ClusterSpec>,
        bundles: &Bundles,
    ) -> Self {
        match observation {
            Observation::Seen(inventory) => {
                let planes = control_planes(inventory);
                let namespaces = system_namespaces(spec, planes.known().map_or(&[], Vec::as_slice));
                Self {
                    name,
                    spec,
                    context: &inventory.context,
                    seen: Ok(inventory),
                    gateways: gateways(inventory),
                    trust: Trust::of(inventory, &namespaces, bundles),
                    control_planes: planes,
                }
            }
            Observation::Unreachable { context, failure } => Self {
                name,
                spec,
                context,
                seen: Err(failure),
                control_planes: Fact::Unknown,
                gateways: Fact::Unknown,
                trust: Trust::default(),
            },
        }
    }

    /// Its control planes, as far as they are known.
    pub fn planes(&self) -> &[ControlPlane<'world>] {
        self.control_planes.known().map_or(&[], Vec::as_slice)
    }

    /// Its gateways, as far as they are known.
    pub fn known_gateways(&self) -> &[Gateway] {
        self.gateways.known().map_or(&[], Vec::as_slice)
    }

    /// What it does in the mesh: as the fleet file says, else what it runs; unknown where neither tells.
    pub fn role(&self) -> Option<Role> {
        match self.spec {
            Some(spec) => Some(spec.role),
            None => {
                let mut planes = self.planes().iter();
                let first = planes.next()?;
                // One that has its configuration elsewhere runs for that cluster, and not for its own.
                let is_led = |plane: &ControlPlane<'_>| self.configuration(&plane.namespace).is_some();
                Some(match is_led(first) && planes.all(is_led) {
                    true => Role::External,
                    false => Role::Primary,
                })
            }
        }
    }

    /// Whether it runs control planes for others, and no workloads of the mesh.
    pub fn is_external(&self) -> bool {
        self.role() == Some(Role::External)
    }

    /// Whether an istiod in it should read the other clusters.
    pub fn runs_control_planes(&self) -> bool {
        self.role().is_some_and(Role::runs_control_planes)
    }

    /// The cluster ID that it has in the mesh: the one that its istiod goes by; its name where that is not
    /// known, or where its istiod goes by another cluster's.
    pub fn cluster_id(&self) -> &str {
        if self.is_external() {
            return self.name.as_str();
        }
        self.planes()
            .iter()
            .find_map(ControlPlane::effective_cluster_id)
            .unwrap_or(self.name.as_str())
    }

    /// The network of its pods: in its own words, else in the fleet file's.
    pub fn network(&self) -> Option<&str> {
        if self.is_external() {
            return None;
        }
        let own = self.planes().iter().find_map(ControlPlane::effective_network);
        own.or_else(|| Some(self.spec?.network.as_ref()?.as_str()))
    }

    /// The namespaces in which its control planes are, or should be.
    pub fn system_namespaces(&self) -> Vec<&str> {
        system_namespaces(self.spec, self.planes())
    }

    /// The network label of a system namespace.
    pub fn namespace_network(&self, namespace: &str) -> Fact<String> {
        self.seen
            .map_or(Fact::Unknown, |inventory| namespace_network(inventory, namespace))
    }

    /// What leads an istiod in a namespace to the cluster that holds its configuration, where that is another.
    pub fn configuration(
        &self,
        namespace: &str,
    ) -> Option<(&'world RemoteSecret, &'world RemoteSecretEntry)> {
        let secret = led_by(self.seen.ok()?, namespace)?;
        let mut entries = secret.entries.iter();
        Some((
            secret,
            entries.find(|entry| entry.cluster_id == CONFIGURATION_KEY)?,
        ))
    }

    /// The remote secrets in a namespace, unless they could not be listed.
    pub fn remote_secrets(&self, namespace: &str) -> Fact<Vec<&'world RemoteSecret>> {
        let Ok(inventory) = self.seen else {
            return Fact::Unknown;
        };
        let secrets: Vec<&RemoteSecret> = inventory
            .remote_secrets
            .iter()
            .filter(|secret| secret.namespace == namespace)
            .collect();
        if secrets.is_empty() && !inventory.was_searched(SECRET, "istio/multiCluster=true", namespace) {
            Fact::Unknown
        } else {
            Fact::Known(secrets)
        }
    }
}

impl Gateway {
    /// Its namespace and name, as messages call it.
    pub fn called(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

fn system_namespaces<'view>(
    spec: Option<&'view ClusterSpec>,
    planes: &'view [ControlPlane<'_>],
) -> Vec<&'view str> {
    let mut namespaces: Vec<&str> = planes.iter().map(|plane| plane.namespace.as_str()).collect();
    if namespaces.is_empty() {
        namespaces.push(spec.map_or(
            crate::fleet::spec::DEFAULT_SYSTEM_NAMESPACE,
            ClusterSpec::system_namespace,
        ));
    }
    namespaces.dedup();
    namespaces
}

/// The Services that istiods take as gateways of networks (Istio: pilot's kube controller, `network.go`).
fn gateways(inventory: &ClusterInventory) -> Fact<Vec<Gateway>> {
    let found: Vec<Gateway> = inventory
        .of_kind(SERVICE)
        .filter_map(|service| {
            let network = service.label(NETWORK_LABEL)?;
            let ports = service.list(&["spec", "ports"]);
            let selector = service.at(&["spec", "selector"]).and_then(Value::as_object);
            let ports: Vec<u64> = ports.iter().filter_map(|port| port["port"].as_u64()).collect();
            let named = service.label("networking.istio.io/gatewayPort");
            let named = named
                .and_then(|port| port.parse().ok())
                .unwrap_or(PASSTHROUGH_PORT);
            Some(Gateway {
                namespace: service.namespace().to_owned(),
                name: service.name().to_owned(),
                network: network.to_owned(),
                addresses: addresses(service),
                at_nodes: service.annotation("traffic.istio.io/nodeSelector").is_some(),
                has_gateway_port: ports.contains(&named) || ports.contains(&HBONE_PORT),
                ports,
                selector: selector
                    .into_iter()
                    .flatten()
                    .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                    .collect(),
            })
        })
        .collect();
    if found.is_empty() && !inventory.was_searched(SERVICE, NETWORK_LABEL, "") {
        Fact::Unknown
    } else {
        Fact::Known(found)
    }
}

fn addresses(service: &crate::inventory::Object) -> Vec<Address> {
    let address = |kind: AddressKind, value: &Value| {
        value.as_str().map(|value| Address {
            kind,
            value: value.to_owned(),
        })
    };
    let balanced = service.list(&["status", "loadBalancer", "ingress"]).iter();
    let external = service.list(&["spec", "externalIPs"]).iter();
    balanced
        .flat_map(|ingress| {
            [
                address(AddressKind::IpAddress, &ingress["ip"]),
                address(AddressKind::Hostname, &ingress["hostname"]),
            ]
        })
        .chain(external.map(|value| address(AddressKind::IpAddress, value)))
        .flatten()
        .collect()
}
