//! What contexts become, on inventories as clusters give them.

use super::*;
use crate::inventory::{AuthoritySecret, Failure, FailureClass, RemoteSecret};
use crate::yaml;

fn name() -> FleetName {
    "prod".parse().unwrap()
}

/// A cluster whose Deployments and Namespaces were listed, with what else is said of it.
fn seen(context: &str, uid: &str, objects: &str) -> (String, Observation) {
    let objects: serde_json::Value = yaml::from_str(objects).unwrap();
    let inventory = serde_json::json!({
        "context": context, "uid": uid, "objects": objects,
        "lists": {"apps/v1/Deployment": [""], "v1/Namespace": [""]},
    });
    let inventory = serde_json::from_value(inventory).unwrap();
    (context.to_owned(), Observation::Seen(Box::new(inventory)))
}

fn unreachable(context: &str) -> (String, Observation) {
    let failure = Failure {
        class: FailureClass::Tcp,
        verb: "connect".to_owned(),
        resource: "https://a.example".to_owned(),
        message: "connection refused".to_owned(),
    };
    let context = context.to_owned();
    (context.clone(), Observation::Unreachable { context, failure })
}

fn inventory(
    (context, observation): (String, Observation),
    change: impl FnOnce(&mut ClusterInventory),
) -> (String, Observation) {
    let Observation::Seen(mut inventory) = observation else {
        panic!("{context} was not seen");
    };
    change(&mut inventory);
    (context, Observation::Seen(inventory))
}

const FOREIGN: &str = "[{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: istio-system, name: istiod, \
    labels: {app: istiod}, managedFields: [{manager: istio-operator}]}}]";
const OURS: &str = "[{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: istio-system, name: istiod, \
    labels: {app: istiod, app.kubernetes.io/managed-by: stolos, stolos.dev/fleet: prod}}}]";

fn propose_new(seen: &[(String, Observation)]) -> Result<Proposal, ProposalError> {
    propose(seen, &name(), None, &[], &Wishes::default())
}

#[test]
fn contexts_become_clusters_with_names_networks_and_pins() {
    let labelled = "[{apiVersion: v1, kind: Namespace, metadata: {name: istio-system, labels: {topology.istio.io/network: net-1}}}]";
    let proposal = propose_new(&[
        seen("east", "u-1", "[]"),
        seen("arn:aws:eks:us-east-1:1:cluster/east", "u-2", labelled),
        unreachable("gke_p_z_west"),
        seen("hidden", "", "[]"),
    ])
    .unwrap();
    let summary: Vec<(&str, Option<&str>, Option<&str>, &str)> = proposal
        .clusters
        .iter()
        .map(|cluster| {
            let network = cluster.network.as_ref().unwrap().as_str();
            (
                cluster.name.as_str(),
                cluster.context.as_deref(),
                cluster.uid.as_deref(),
                network,
            )
        })
        .collect();
    assert_eq!(
        summary,
        [
            ("east", None, Some("u-1"), "east"),
            (
                "east-2",
                Some("arn:aws:eks:us-east-1:1:cluster/east"),
                Some("u-2"),
                "net-1"
            ),
            ("west", Some("gke_p_z_west"), None, "west"),
            ("hidden", None, None, "hidden"),
        ]
    );
    assert!(proposal.clusters.iter().all(|cluster| cluster.manage.is_none()));
    assert_eq!(proposal.warnings.len(), 2, "{:?}", proposal.warnings);
    assert!(
        proposal.warnings[0].contains("gke_p_z_west") && proposal.warnings[0].contains("does not answer")
    );
    assert!(proposal.warnings[1].contains("hidden"));
}

#[test]
fn the_same_cluster_twice_is_refused_with_both_names() {
    let twice = [
        seen("a", "u-1", "[]"),
        seen("b", "u-2", "[]"),
        seen("c", "u-1", "[]"),
    ];
    let error = propose_new(&twice).unwrap_err();
    assert_eq!(
        error,
        ProposalError::SameCluster {
            one: "a".to_owned(),
            other: "c".to_owned(),
            uid: "u-1".to_owned()
        }
    );
    // Clusters whose UID may not be read are not taken for one.
    assert!(propose_new(&[seen("a", "", "[]"), seen("b", "", "[]")]).is_ok());
}

#[test]
fn a_cluster_that_the_fleet_has_is_refused() {
    let text = "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec:\n  clusters:\n\
                - {name: east, context: ctx-east, uid: u-1, network: a}\n- {name: west, network: b}\n"
        .replace("\n- {", "\n  - {");
    let fleet = crate::fleet::check::read(&text).unwrap();
    let known = [("west".parse().unwrap(), "u-2".to_owned())];
    let join = |context: &str, uid: &str, wishes: &Wishes| {
        propose(&[seen(context, uid, "[]")], &name(), Some(&fleet), &known, wishes)
    };
    let wishes = Wishes::default();
    for (context, uid, cluster) in [("other", "u-1", "east"), ("other", "u-2", "west")] {
        let error = join(context, uid, &wishes).unwrap_err();
        let ProposalError::InFleet { cluster: found, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(found.as_str(), cluster);
    }
    assert!(matches!(
        join("ctx-east", "u-9", &wishes),
        Err(ProposalError::ContextInFleet { .. })
    ));
    // Its own name is taken, so it gets another; a name that was asked for is not changed.
    let proposal = join("admin@east", "u-9", &wishes).unwrap();
    assert_eq!(proposal.clusters[0].name.as_str(), "admin-east");
    assert_eq!(
        join("x:y:east", "u-9", &wishes).unwrap().clusters[0]
            .name
            .as_str(),
        "x-y-east"
    );
    let wishes = Wishes {
        name: Some("east".parse().unwrap()),
        network: Some("shared".parse().unwrap()),
    };
    assert_eq!(
        join("x", "u-9", &wishes),
        Err(ProposalError::NameTaken("east".parse().unwrap()))
    );
    let wishes = Wishes { name: None, ..wishes };
    assert_eq!(
        join("x", "u-9", &wishes).unwrap().clusters[0]
            .network
            .as_ref()
            .unwrap()
            .as_str(),
        "shared"
    );
}

#[test]
fn what_somebody_else_manages_is_left_to_them() {
    let manage = |seen: (String, Observation)| propose_new(&[seen]).unwrap().clusters.remove(0).manage;
    assert_eq!(manage(seen("a", "u", FOREIGN)), Some(vec![Area::Links]));
    assert_eq!(manage(seen("a", "u", OURS)), None);
    let of_another = OURS.replace("stolos.dev/fleet: prod", "stolos.dev/fleet: test");
    assert_eq!(manage(seen("a", "u", &of_another)), Some(vec![Area::Links]));
    let secret = |managed_by_stolos: bool, fleet: &str| AuthoritySecret {
        name: "cacerts".to_owned(),
        managed_by_stolos,
        fleet: fleet.to_owned(),
        ..AuthoritySecret::default()
    };
    let with = |secret: AuthoritySecret| {
        manage(inventory(seen("a", "u", "[]"), |inventory| {
            inventory.authorities.push(secret);
        }))
    };
    assert_eq!(with(secret(false, "")), Some(vec![Area::Mesh, Area::Links]));
    assert_eq!(with(secret(true, "prod")), None);
    let linked = inventory(seen("a", "u", FOREIGN), |inventory| {
        inventory.remote_secrets.push(RemoteSecret::default());
    });
    assert_eq!(manage(linked.clone()), Some(Vec::new()));
    let warnings = propose_new(&[linked]).unwrap().warnings;
    assert!(warnings[0].contains("istioctl"), "{warnings:?}");
}

#[test]
fn who_joins_an_external_control_plane_is_served_by_it() {
    let text = "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec:\n  clusters:\n  \
                - {name: hub, role: external}\n  - {name: edge, role: config, controlPlane: hub, network: a}\n  \
                mesh: {model: external-control-plane}\n";
    let fleet = crate::fleet::check::read(text).unwrap();
    let joins = [seen("west", "u-3", "[]")];
    let proposal = propose(&joins, &name(), Some(&fleet), &[], &Wishes::default()).unwrap();
    let cluster = &proposal.clusters[0];
    assert_eq!(cluster.role, Role::Remote);
    assert_eq!(cluster.primary.as_ref().map(ClusterName::as_str), Some("edge"));
}
