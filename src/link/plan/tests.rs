//! A remote secret that stands, and is not quite what istiod looks for.

use serde_json::json;

use super::*;
use crate::inventory::{
    ClusterInventory, Object, Observation, RemoteSecret, RemoteSecretEntry, Replica, Said, TokenSecret,
};
use crate::link::secret::LinkSecret;
use crate::plan::Step;
use crate::plan::ownership::mark;

const READ: &str = "https://west.example:6443";

fn fleet(manage: &str) -> Fleet {
    crate::yaml::from_str(&format!(
        "{{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {{name: prod}}, spec: {{clusters: [
          {{name: east, network: a, manage: {manage}}}, {{name: west, network: b, manage: {manage}}}]}}}}",
    ))
    .unwrap()
}

fn marked(mut object: Object) -> Object {
    mark(&mut object, &"prod".parse().unwrap());
    object
}

/// A cluster that can be read, with one istiod that has read the other and knows no gateway.
fn seen(server: &str, other: &str) -> ClusterInventory {
    let mut seen = ClusterInventory {
        server: server.to_owned(),
        token_secrets: vec![TokenSecret {
            namespace: "istio-system".to_owned(),
            name: secret::token_secret_name(secret::READER_ACCOUNT),
            service_account: secret::READER_ACCOUNT.to_owned(),
            token_sha256: "token".to_owned(),
            authority: "authority".to_owned(),
        }],
        replicas: vec![Replica {
            namespace: "istio-system".to_owned(),
            pod: "istiod-1".to_owned(),
            revision: "default".to_owned(),
            ready: true,
            version: Said::Said(String::new()),
            clusterz: Said::Said(
                serde_json::from_value(json!([{"id": other, "syncStatus": "synced"}])).unwrap(),
            ),
            networkz: Said::Said(Vec::new()),
            proxies: Said::Said(Vec::new()),
        }],
        ..ClusterInventory::default()
    };
    for kind in ["Namespace", "Secret", "ConfigMap", "ServiceAccount"] {
        seen.lists.insert(format!("v1/{kind}"), vec![String::new()]);
    }
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
                         "metadata": {"name": secret::READER_ACCOUNT, "namespace": "istio-system"}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}});
    seen.objects = vec![Object(account), Object(namespace)];
    seen
}

/// East, where the remote secret for west stands under a name, with its facts.
fn east(object: Object, found: bool) -> ClusterInventory {
    let mut east = seen("https://east.example:6443", "west");
    if found {
        east.remote_secrets.push(RemoteSecret {
            namespace: "istio-system".to_owned(),
            name: object.name().to_owned(),
            created_at: String::new(),
            written_at: String::new(),
            managed_by_stolos: true,
            fleet: "prod".to_owned(),
            managers: vec!["stolos".to_owned()],
            credential_in_annotation: false,
            entries: vec![RemoteSecretEntry {
                cluster_id: "west".to_owned(),
                server: READ.to_owned(),
                token_sha256: "token".to_owned(),
                authority: "authority".to_owned(),
                ..RemoteSecretEntry::default()
            }],
        });
    }
    east.objects.push(object);
    east
}

/// The steps about remote secrets in east.
fn steps(manage: &str, east: ClusterInventory) -> Vec<Step> {
    let mut inventory = Inventory::default();
    for (name, seen) in [("east", east), ("west", seen(READ, "east"))] {
        let name = name.parse().unwrap();
        inventory.clusters.insert(name, Observation::Seen(Box::new(seen)));
    }
    let plan = plan(&fleet(manage), &inventory, &BTreeSet::new());
    assert_eq!(plan.blocked, []);
    let in_east = |step: &Step| step.cluster.as_str() == "east" && step.object.kind != "ConfigMap";
    plan.steps.into_iter().filter(in_east).collect()
}

fn desired() -> Object {
    LinkSecret::Remote(&"west".parse().unwrap()).metadata(&"prod".parse().unwrap(), "istio-system")
}

#[test]
fn what_stands_as_it_should_is_not_written() {
    assert_eq!(steps("[links]", east(desired(), true)), []);
}

#[test]
fn our_secret_without_the_label_that_istiod_looks_for_is_mended() {
    let mut object = desired();
    object.0["metadata"]["labels"]
        .as_object_mut()
        .unwrap()
        .remove(secret::REMOTE_SECRET_LABEL);
    let steps = steps("[links]", east(object, false));
    assert_eq!(steps[0].action, Action::Update);
    assert!(
        steps[0].reason.contains(secret::REMOTE_SECRET_LABEL),
        "{}",
        steps[0].reason
    );
}

#[test]
fn our_secret_that_lost_a_mark_is_mended() {
    let bare = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {
        "name": "istio-remote-secret-west", "namespace": "istio-system",
        "labels": {secret::REMOTE_SECRET_LABEL: "true"}}});
    let steps = steps("[links]", east(marked(Object(bare)), true));
    assert_eq!(steps[0].action, Action::Update);
    assert!(
        steps[0].reason.contains("metadata.annotations"),
        "{}",
        steps[0].reason
    );
}

#[test]
fn a_copy_under_another_name_gets_no_second_secret_beside_it() {
    let mut copy = desired();
    copy.0["metadata"]["name"] = "copied".into();
    assert_eq!(steps("[links]", east(copy, true)), []);
}

#[test]
fn a_gateway_is_waited_for_only_where_this_fleet_makes_it() {
    let waits = |manage| {
        let steps = steps(manage, east(desired(), true));
        steps.iter().filter(|step| step.action == Action::Wait).count()
    };
    assert_eq!(waits("[links]"), 0);
    assert_eq!(waits("[mesh, links]"), 1);
}
