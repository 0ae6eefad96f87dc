//! What could not be read is not taken for absent when a cluster leaves.

use serde_json::json;

use super::*;
use crate::inventory::{Failure, FailureClass, Object};

fn fleet() -> Fleet {
    crate::yaml::from_str(
        "{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {name: prod}, spec: {clusters: [
          {name: east, network: a}, {name: west, network: b}]}}",
    )
    .unwrap()
}

fn ours(api_version: &str, kind: &str, namespace: &str, name: &str) -> Object {
    let mut object = Object(json!({"apiVersion": api_version, "kind": kind,
                                   "metadata": {"name": name, "uid": format!("uid-of-{name}")}}));
    if !namespace.is_empty() {
        object.0["metadata"]["namespace"] = namespace.into();
    }
    crate::plan::ownership::mark(&mut object, &"prod".parse().unwrap());
    object
}

/// A cluster in which everything was read.
fn seen() -> ClusterInventory {
    let mut seen = ClusterInventory::default();
    seen.lists
        .insert("v1/Secret".to_owned(), vec!["istio-system".to_owned()]);
    seen.objects = vec![
        ours("v1", "Namespace", "", "istio-system"),
        ours("apps/v1", "Deployment", "istio-system", "istiod"),
    ];
    seen.system_namespace_contents = Some(Vec::new());
    seen
}

fn refused(resource: &str) -> Failure {
    Failure {
        class: FailureClass::Permission,
        verb: "list".to_owned(),
        resource: resource.to_owned(),
        message: "forbidden".to_owned(),
    }
}

fn leaving(east: ClusterInventory, west: ClusterInventory, choice: Choice) -> Leaving {
    let mut inventory = Inventory::default();
    for (name, seen) in [("east", east), ("west", west)] {
        let name = name.parse().unwrap();
        inventory.clusters.insert(name, Observation::Seen(Box::new(seen)));
    }
    plan(
        &fleet(),
        &inventory,
        &BTreeSet::from(["west".parse().unwrap()]),
        choice,
    )
}

#[test]
fn a_peer_whose_secrets_are_unread_may_still_be_linked() {
    let mut east = seen();
    east.lists.clear();
    east.unread.push(refused("secrets in istio-system"));
    let going = leaving(east, seen(), Choice::default());
    let blocked = &going.plan.blocked;
    assert_eq!(blocked.len(), 1);
    assert!(!blocked[0].unreachable && blocked[0].reason.contains("list secrets in istio-system"));
    assert!(leaving(seen(), seen(), Choice::default()).plan.blocked.is_empty());
}

#[test]
fn a_list_that_failed_where_a_cluster_leaves_is_not_an_empty_one() {
    for (resource, blocks, blocks_unlinking) in [
        ("deployments in istio-system", true, false),
        ("secrets in istio-system", true, true),
        ("pods", true, false),
        ("mutatingwebhookconfigurations", true, false),
        ("nodes", false, false),
        ("secrets in another", false, false),
        ("VirtualService istio-system/istiod-vs", true, false),
        ("ConfigMap kube-system/kube-root-ca.crt", false, false),
    ] {
        for (keep_mesh, expected) in [(false, blocks), (true, blocks_unlinking)] {
            let mut west = seen();
            let verb = if resource.contains('/') { "get" } else { "list" };
            west.unread.push(Failure {
                verb: verb.to_owned(),
                ..refused(resource)
            });
            let choice = Choice {
                keep_mesh,
                ..Choice::default()
            };
            let going = leaving(seen(), west, choice);
            assert_eq!(!going.plan.blocked.is_empty(), expected, "{resource} {keep_mesh}");
        }
    }
}

#[test]
fn a_cluster_that_was_lost_while_it_was_read_gave_no_empty_lists() {
    for keep_mesh in [false, true] {
        let mut west = seen();
        west.unread.push(Failure {
            class: FailureClass::Tcp,
            verb: "connect".to_owned(),
            resource: "https://192.0.2.1:6443".to_owned(),
            message: "the connection was refused".to_owned(),
        });
        let choice = Choice {
            keep_mesh,
            ..Choice::default()
        };
        let going = leaving(seen(), west, choice);
        assert!(
            going.plan.blocked[0]
                .reason
                .contains("the connection was refused")
        );
    }
}

#[test]
fn a_namespace_with_a_pod_that_nobody_owns_stays() {
    let pod = |metadata| Object(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}));
    for (metadata, goes) in [
        (json!({"name": "somebodys"}), false),
        (
            json!({"name": "istiod-1", "ownerReferences": [{"kind": "ReplicaSet"}]}),
            true,
        ),
    ] {
        let mut west = seen();
        west.system_namespace_contents = Some(vec![pod(metadata)]);
        let going = leaving(seen(), west, Choice::default());
        let deleted = going
            .plan
            .steps
            .iter()
            .any(|step| step.object.kind == "Namespace" && step.action == Action::Delete);
        assert_eq!(deleted, goes, "{:?}", going.remains);
    }
}

#[test]
fn the_label_that_a_foreign_namespace_was_given_is_taken_back() {
    let mut west = seen();
    let foreign = |managed: serde_json::Value| {
        Object(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system", "uid": "u",
                      "labels": {"topology.istio.io/network": "b"}, "managedFields": managed}}),
        )
    };
    west.objects[0] = foreign(
        json!([{"manager": "stolos-fields", "operation": "Apply", "fieldsV1": {
        "f:metadata": {"f:labels": {"f:topology.istio.io/network": {}}}}}]),
    );
    let labelled = |west: ClusterInventory| {
        let going = leaving(seen(), west, Choice::default());
        let step = going
            .plan
            .steps
            .into_iter()
            .find(|step| step.object.kind == "Namespace");
        step.map(|step| (step.action, step.uid, step.content))
    };
    let bare = Object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}));
    assert_eq!(
        labelled(west.clone()),
        Some((Action::Update, "u".to_owned(), Content::Label(bare)))
    );
    west.objects[0] = foreign(json!([]));
    assert_eq!(labelled(west), None, "it said so itself");
}

#[test]
fn workloads_of_the_nodes_proxies_are_not_left_without_them_unasked() {
    let mut west = seen();
    west.objects
        .push(ours("apps/v1", "DaemonSet", "istio-system", "ztunnel"));
    let shop = json!({"apiVersion": "v1", "kind": "Namespace",
                      "metadata": {"name": "shop", "labels": {"istio.io/dataplane-mode": "ambient"}}});
    west.objects.push(Object(shop));
    let blocked = leaving(seen(), west.clone(), Choice::default()).plan.blocked;
    assert!(
        blocked.len() == 1 && blocked[0].reason.contains("shop"),
        "{blocked:?}"
    );
    let allowed = Choice {
        allow_disruption: true,
        ..Choice::default()
    };
    assert!(leaving(seen(), west, allowed).plan.blocked.is_empty());
}
