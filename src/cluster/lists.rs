//! What is read of a cluster, as a table: each list with the purposes that need it. A command reads
//! what its purposes need and no more: each list costs the API server work and this machine memory.
//! A plan lists each kind once (`tests/live` counts it in the audit logs): what only a report or a
//! proposal says something about is looked for by those alone.

use crate::inventory::kind::{self, Kind};

/// What a command reads clusters for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To report the state of the mesh: `status`, `link list`.
    Status,
    /// To report what control planes sign with: `trust show`.
    TrustReport,
    /// To plan what control planes sign with.
    Trust,
    /// To plan control planes and gateways.
    Mesh,
    /// To plan links.
    Links,
    /// To know what istiods say of themselves, where a plan waits for their word.
    Istiods,
    /// To plan how a cluster leaves.
    Leave,
    /// To know which addresses pods and Services have, where clusters share a network.
    Ranges,
    /// To propose a fleet file for what runs, wherever in the cluster it is.
    Proposal,
}

use Purpose::{Istiods, Leave, Links, Mesh, Proposal, Ranges, Status, Trust, TrustReport};

impl Purpose {
    /// Everything that a fleet file's plan is made from.
    pub const PLAN: &'static [Purpose] = &[Trust, Mesh, Links, Istiods];
    /// The same of a fleet in which clusters share a network.
    pub const PLAN_OF_SHARED_NETWORKS: &'static [Purpose] = &[Trust, Mesh, Links, Istiods, Ranges];
    /// Everything that a fleet file is made from.
    pub const PROPOSAL: &'static [Purpose] = &[Trust, Mesh, Links, Istiods, Proposal];
    /// Everything that a cluster's leaving is planned from.
    pub const LEAVING: &'static [Purpose] = &[Mesh, Leave];

    /// Whether what each istiod says of itself is part of it: a port-forward to each, which costs
    /// two round trips after the lists.
    pub fn asks_istiods(self) -> bool {
        matches!(self, Status | Istiods | Leave)
    }

    /// Whether which proxies are connected to each istiod is part of it; a full answer grows with the mesh.
    pub fn asks_proxies(self) -> bool {
        matches!(self, Mesh | Leave)
    }

    /// Whether the word of the peers that a cluster's credentials are for is part of it: whether they
    /// accept what it holds.
    pub fn asks_peers(self) -> bool {
        matches!(self, Status | Links)
    }

    /// Whether objects are compared and written back, so that they have to be kept whole; who only
    /// reports keeps what it reports.
    pub fn keeps_whole(self) -> bool {
        !matches!(self, Status | TrustReport)
    }
}

/// One list to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Of which kind.
    pub kind: Kind,
    /// In which namespace; empty is the whole cluster.
    pub namespace: String,
    /// A label selector, or empty.
    pub labels: &'static str,
    /// A field selector, or empty.
    pub fields: &'static str,
    /// Only the objects' metadata.
    pub metadata_only: bool,
}

impl List {
    /// The name of the one object that it asks for, where it asks for one in one namespace: that is a
    /// `get`, which costs the server less and may be allowed by name.
    pub fn one(&self) -> Option<&'static str> {
        let name = self.fields.strip_prefix("metadata.name=")?;
        (!self.namespace.is_empty() && self.labels.is_empty()).then_some(name)
    }

    /// The key under which the inventory says that it was read (`ClusterInventory::lists`).
    pub fn key(&self) -> String {
        let kind = format!("{}/{}", self.kind.api_version, self.kind.kind);
        if self.labels.is_empty() && self.fields.is_empty() {
            kind
        } else {
            format!("{kind}?{}{}", self.labels, self.fields)
        }
    }
}

/// A row of the table: a list, and who needs it.
struct Row(&'static [Purpose], Kind, &'static str, &'static str, &'static str);

/// What is looked for in the whole cluster: purposes, kind, namespace, labels, fields.
const FLEET_WIDE: &[Row] = &[
    Row(
        &[Status, TrustReport, Trust, Mesh, Links],
        kind::NAMESPACE,
        "",
        "",
        "",
    ),
    // A plan finds the namespaces of istiods that run by their pods.
    Row(
        &[Status, TrustReport, Leave, Proposal],
        kind::DEPLOYMENT,
        "",
        "app=istiod",
        "",
    ),
    Row(&[Status, Trust, Mesh, Links], kind::POD, "", "app=istiod", ""),
    // Pods with a sidecar: the injector gives each this label.
    Row(&[Leave], kind::POD, "", "security.istio.io/tlsMode", ""),
    Row(
        &[Status, Leave, Proposal],
        kind::SERVICE,
        "",
        "topology.istio.io/network",
        "",
    ),
    // istiod reads them in its own namespace alone, where a plan sees them among all its Secrets.
    Row(
        &[Status, TrustReport, Leave, Proposal],
        kind::SECRET,
        "",
        "istio/multiCluster=true",
        "",
    ),
    Row(
        &[Status, TrustReport, Leave, Proposal],
        kind::CONFIG_MAP,
        "",
        "",
        "metadata.name=istio-ca-root-cert",
    ),
    Row(&[Leave], kind::CONFIG_MAP, "", "", "metadata.name=istio-ca-crl"),
    // Kubernetes puts the same into every namespace; this one is there from the start.
    Row(
        &[Status, Mesh, Links],
        kind::CONFIG_MAP,
        "kube-system",
        "",
        "metadata.name=kube-root-ca.crt",
    ),
    // kube-apiserver writes its own addresses under this name.
    Row(
        &[Status, Mesh, Links],
        kind::ENDPOINT_SLICE,
        "default",
        "",
        "metadata.name=kubernetes",
    ),
    Row(
        &[Mesh, Links],
        kind::NODE,
        "",
        "node-role.kubernetes.io/control-plane",
        "",
    ),
    // The ranges that pods and Services have addresses of, and pods that show whether it is so.
    Row(&[Ranges], kind::NODE, "", "", ""),
    Row(&[Ranges], kind::SERVICE_CIDR, "", "", ""),
    Row(&[Ranges], kind::POD, "kube-system", "", ""),
    Row(&[Status, Mesh], kind::MUTATING_WEBHOOK, "", "", ""),
    Row(&[Status, Mesh], kind::VALIDATING_WEBHOOK, "", "", ""),
    Row(&[Mesh], kind::CLUSTER_ROLE, "", "", ""),
    Row(&[Mesh], kind::CLUSTER_ROLE_BINDING, "", "", ""),
    // Our own definitions are read whole, for drift; of the others it is enough that they stand,
    // and whose they are.
    Row(
        &[Mesh],
        kind::CUSTOM_RESOURCE_DEFINITION,
        "",
        "stolos.dev/fleet",
        "",
    ),
    Row(&[Mesh], kind::CUSTOM_RESOURCE_DEFINITION, "", "", ""),
    Row(&[Status, Mesh], kind::ISTIO_GATEWAY, "", "", ""),
    Row(&[Leave], kind::GATEWAY_CLASS, "", "", ""),
];

/// What is looked for in a namespace of a control plane: purposes, kind, fields.
const IN_SYSTEM_NAMESPACE: &[(&[Purpose], Kind, &str)] = &[
    (&[Status, TrustReport, Trust, Mesh, Links], kind::SECRET, ""),
    (&[Status, TrustReport, Trust, Mesh, Links], kind::CONFIG_MAP, ""),
    (&[Mesh], kind::SERVICE, ""),
    // Those by which a remote finds its istiod.
    (&[Mesh], kind::ENDPOINT_SLICE, ""),
    (&[Mesh, Links], kind::SERVICE_ACCOUNT, ""),
    (&[Status, TrustReport, Trust, Mesh, Links], kind::DEPLOYMENT, ""),
    // Ambient's data plane, and its east-west gateway.
    (&[Mesh], kind::DAEMON_SET, ""),
    (&[Mesh], kind::GATEWAY, ""),
    (&[Mesh], kind::ROLE, ""),
    (&[Mesh], kind::ROLE_BINDING, ""),
    (&[Mesh], kind::HORIZONTAL_POD_AUTOSCALER, ""),
    (&[Mesh], kind::POD_DISRUPTION_BUDGET, ""),
    // The route by which a primary's gateway passes remotes on to istiod.
    (&[Mesh], kind::VIRTUAL_SERVICE, "metadata.name=istiod-vs"),
];

fn wanted(by: &[Purpose], purposes: &[Purpose]) -> bool {
    purposes.iter().any(|purpose| by.contains(purpose))
}

/// What some purposes read of the whole cluster.
pub fn fleet_wide(purposes: &[Purpose]) -> Vec<List> {
    FLEET_WIDE
        .iter()
        .filter(|Row(by, ..)| wanted(by, purposes))
        .map(|Row(_, kind, namespace, labels, fields)| List {
            kind: *kind,
            namespace: (*namespace).to_owned(),
            labels,
            fields,
            metadata_only: *kind == kind::CUSTOM_RESOURCE_DEFINITION && labels.is_empty(),
        })
        .collect()
}

/// What some purposes read in a namespace of a control plane.
pub fn in_namespace(namespace: &str, purposes: &[Purpose]) -> Vec<List> {
    IN_SYSTEM_NAMESPACE
        .iter()
        .filter(|(by, ..)| wanted(by, purposes))
        .map(|(_, kind, fields)| List {
            kind: *kind,
            namespace: namespace.to_owned(),
            labels: "",
            fields,
            metadata_only: false,
        })
        .collect()
}

/// What is asked for in the namespace of a control plane instead, where a list of the whole cluster
/// was refused: who may read no more than that namespace still learns what matters there.
pub fn narrowed(refused: &[List], namespace: &str, purposes: &[Purpose]) -> Vec<List> {
    let read_anyway = in_namespace(namespace, purposes);
    refused
        .iter()
        .filter(|list| list.kind.namespaced && list.namespace.is_empty())
        .filter(|list| !read_anyway.iter().any(|other| other.kind == list.kind))
        .map(|list| List {
            namespace: namespace.to_owned(),
            ..list.clone()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn count(purposes: &[Purpose]) -> usize {
        fleet_wide(purposes).len() + in_namespace("istio-system", purposes).len()
    }

    #[test]
    fn who_reports_reads_less_than_who_plans() {
        // Beside each: `/version` and the namespace `kube-system`.
        assert_eq!(count(&[Status]), 14);
        assert_eq!(count(&[TrustReport]), 7);
        assert_eq!(count(&[Links]), 9);
        assert_eq!(count(Purpose::PLAN), 25);
        assert_eq!(count(&[Mesh]), count(Purpose::PLAN));
        assert_eq!(count(Purpose::PLAN_OF_SHARED_NETWORKS), 28);
        assert_eq!(count(Purpose::PROPOSAL), 29);
        assert_eq!(count(Purpose::LEAVING), 32);
        assert!(
            fleet_wide(&[Status])
                .iter()
                .all(|list| list.kind != kind::CLUSTER_ROLE)
        );
    }

    #[test]
    fn a_plan_lists_each_kind_about_once() {
        let lists = fleet_wide(Purpose::PLAN).into_iter();
        let mut lists: Vec<List> = lists.chain(in_namespace("istio-system", Purpose::PLAN)).collect();
        let kinds: BTreeSet<Kind> = lists.iter().map(|list| list.kind).collect();
        lists.retain(|list| list.one().is_none());
        assert!(
            lists.len() <= kinds.len(),
            "{} lists of {} kinds",
            lists.len(),
            kinds.len()
        );
    }

    #[test]
    fn a_refused_list_is_asked_for_where_it_may_be_read() {
        let purposes = [Status];
        let all = fleet_wide(&purposes);
        let narrowed = narrowed(&all, "istio-system", &purposes);
        let kinds: Vec<&str> = narrowed.iter().map(|list| list.kind.kind).collect();
        // Deployments, Secrets and ConfigMaps of the namespace are read in any case.
        assert_eq!(kinds, ["Pod", "Service", "Gateway"]);
        assert!(narrowed.iter().all(|list| list.namespace == "istio-system"));
        assert_eq!(narrowed[0].labels, "app=istiod");
    }

    #[test]
    fn the_inventory_knows_a_list_by_its_selector() {
        let lists = fleet_wide(&[Status]);
        let keys: Vec<String> = lists.iter().map(List::key).collect();
        assert!(keys.contains(&"v1/Namespace".to_owned()));
        assert!(keys.contains(&"apps/v1/Deployment?app=istiod".to_owned()));
        assert!(keys.contains(&"v1/ConfigMap?metadata.name=istio-ca-root-cert".to_owned()));
    }
}
