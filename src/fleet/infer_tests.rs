//! Meshes that run, and the files that describe them.

use super::*;
use crate::fleet::check;
use crate::fleet::compose::new_file;
use crate::inventory::{AuthoritySecret, RemoteSecret, RemoteSecretEntry};
use crate::yaml;

fn certificate() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap()
        .pem()
}

/// What a cluster with an istiod of an installer looks like.
fn primary(context: &str, id: &str, network: &str, version: &str) -> (String, ClusterInventory) {
    let text = format!(
        "\
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    namespace: istio-system
    name: istiod
    labels: {{app: istiod, istio.io/rev: default}}
    managedFields: [{{manager: istio-operator}}]
  spec:
    template:
      spec:
        containers:
        - name: discovery
          image: docker.io/istio/pilot:{version}
          env: [{{name: CLUSTER_ID, value: {id}}}]
- apiVersion: v1
  kind: Namespace
  metadata:
    name: istio-system
    labels: {{topology.istio.io/network: '{network}'}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {{namespace: istio-system, name: istio}}
  data:
    mesh: |
      trustDomain: mesh.example
      defaultConfig: {{meshId: mesh-1}}
"
    );
    let objects: serde_json::Value = yaml::from_str(&text).unwrap();
    let inventory = serde_json::json!({
        "context": context, "uid": format!("u-{context}"), "objects": objects,
        "lists": {"apps/v1/Deployment": [""], "v1/Namespace": [""], "v1/ConfigMap": ["istio-system"]},
    });
    (context.to_owned(), serde_json::from_value(inventory).unwrap())
}

fn infer(seen: Vec<(String, ClusterInventory)>) -> (Fleet, Vec<String>) {
    let seen: Vec<(String, Observation)> = seen
        .into_iter()
        .map(|(context, inventory)| (context, Observation::Seen(Box::new(inventory))))
        .collect();
    let (fleet, warnings) = from_mesh(&seen, &"prod".parse().unwrap()).unwrap();
    // Whatever is inferred can be written, and read again as the same.
    let text = new_file(&fleet).unwrap();
    assert_eq!(
        check::read(&text).unwrap_or_else(|error| panic!("{text}\n{error}")),
        fleet
    );
    (fleet, warnings)
}

#[test]
fn a_mesh_made_by_hand_is_described_and_only_observed() {
    let root = certificate();
    let (mut east, mut west) = (
        primary("k-1", "cluster1", "network1", "1.31.2"),
        primary("k-2", "cluster2", "network2", "1.31.2"),
    );
    for (_, inventory) in [&mut east, &mut west] {
        inventory.authorities = vec![
            AuthoritySecret {
                name: "istio-ca-secret".to_owned(),
                namespace: "istio-system".to_owned(),
                roots: certificate(),
                ..AuthoritySecret::default()
            },
            AuthoritySecret {
                name: "cacerts".to_owned(),
                namespace: "istio-system".to_owned(),
                roots: root.clone(),
                ..AuthoritySecret::default()
            },
        ];
    }
    let (fleet, warnings) = infer(vec![east, west]);
    assert!(warnings.is_empty(), "{warnings:?}");
    let expected = format!(
        "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata: {{name: prod}}\nspec:\n  clusters:\n  \
         - {{name: cluster1, context: k-1, uid: u-k-1, network: network1, manage: []}}\n  \
         - {{name: cluster2, context: k-2, uid: u-k-2, network: network2, manage: []}}\n  \
         mesh: {{meshID: mesh-1, version: 1.31.2, model: multi-primary, trustDomain: mesh.example}}\n  \
         trust: {{root: external, rootSha256: [{}]}}\n",
        parse_bundle(&root).unwrap()[0].sha256
    );
    assert_eq!(fleet, check::read(&expected).unwrap());
}

#[test]
fn what_differs_is_said_of_the_cluster_or_warned_about() {
    let mut other = primary("k-2", "cluster2", "network2", "1.30.0");
    let json = serde_json::to_string(&other.1).unwrap();
    let json = json
        .replace("istio-system", "mesh")
        .replace("mesh-1", "mesh-2")
        .replace("\"istio.io/rev\":\"default\"", "\"istio.io/rev\":\"r-2\"")
        .replace("\"name\":\"istio\"", "\"name\":\"istio-r-2\"");
    other.1 = serde_json::from_str(&json).unwrap();
    let (fleet, warnings) = infer(vec![primary("k-1", "cluster1", "network1", "1.31.2"), other]);
    let second = &fleet.spec.clusters[1];
    assert_eq!(
        (second.istio.version.as_str(), second.istio.revision.as_str()),
        ("1.30.0", "r-2")
    );
    assert_eq!(second.system_namespace(), "mesh");
    assert_eq!(
        (
            fleet.spec.mesh.version.as_str(),
            fleet.spec.mesh.revision.as_str()
        ),
        ("1.31.2", "")
    );
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("mesh ID: mesh-1, mesh-2"), "{warnings:?}");
}

#[test]
fn a_cluster_id_that_is_no_name_is_replaced_aloud() {
    let (fleet, warnings) = infer(vec![
        primary("gke_p_z_east", "Kubernetes", "n", "1.31.2"),
        primary("k-2", "Kubernetes", "n", "1.31.2"),
    ]);
    assert_eq!(fleet.spec.clusters[0].name.as_str(), "east");
    assert_eq!(warnings.len(), 2);
    let (fleet, warnings) = infer(vec![
        primary("a", "one", "n", "1.31.2"),
        primary("b", "one", "n", "1.31.2"),
    ]);
    assert_eq!(fleet.spec.clusters[1].name.as_str(), "b");
    assert!(warnings[0].contains("takes them for one cluster"), "{warnings:?}");
}

#[test]
fn clusters_that_name_no_network_share_one_unless_others_name_theirs() {
    let networks = |fleet: &Fleet| -> Vec<String> {
        fleet
            .spec
            .clusters
            .iter()
            .map(|cluster| cluster.network.as_ref().unwrap().to_string())
            .collect()
    };
    let (fleet, warnings) = infer(vec![
        primary("a", "a", "", "1.31.2"),
        primary("b", "b", "", "1.31.2"),
    ]);
    assert_eq!(networks(&fleet), ["default", "default"]);
    assert_eq!(warnings.len(), 2);
    let (fleet, _) = infer(vec![
        primary("a", "a", "net", "1.31.2"),
        primary("b", "b", "", "1.31.2"),
    ]);
    assert_eq!(networks(&fleet), ["net", "b"]);
}

#[test]
fn a_cluster_without_an_istiod_hangs_on_the_one_that_reads_it() {
    let authority = certificate();
    let mut east = primary("k-1", "cluster1", "net", "1.31.2");
    east.1.remote_secrets.push(RemoteSecret {
        entries: vec![RemoteSecretEntry {
            cluster_id: "remote1".to_owned(),
            authority: authority.clone(),
            ..RemoteSecretEntry::default()
        }],
        ..RemoteSecret::default()
    });
    let bare = |context: &str, authority: &str| {
        let mut other = primary(context, "x", "net", "1.31.2");
        other.1.objects.clear();
        other.1.kubeconfig_authority = authority.to_owned();
        other
    };
    let (fleet, warnings) = infer(vec![bare("k-2", &authority), east, bare("k-3", &certificate())]);
    let remote = &fleet.spec.clusters[0];
    assert_eq!((remote.name.as_str(), remote.role), ("remote1", Role::Remote));
    assert_eq!(remote.primary.as_ref().unwrap().as_str(), "cluster1");
    assert_eq!(fleet.spec.mesh.model, Model::PrimaryRemote);
    assert_eq!(fleet.spec.clusters[2].role, Role::Primary);
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("\"k-3\" has no istiod")),
        "{warnings:?}"
    );
}
