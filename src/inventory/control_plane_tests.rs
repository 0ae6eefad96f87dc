//! Tests of the inference; the objects have the shape that `istioctl manifest generate` gives them.

use super::*;

const EAST: &str = r#"
lists: {apps/v1/Deployment: [""], v1/ConfigMap: [istio-system], v1/Namespace: [""]}
objects:
- apiVersion: v1
  kind: Namespace
  metadata: {name: istio-system, labels: {topology.istio.io/network: net-east}}
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    {name: istiod-canary, namespace: istio-system, generation: 2, labels: {app: istiod, istio.io/rev: canary}}
  spec:
    replicas: 2
    template:
      spec:
        containers:
        - name: discovery
          image: docker.io/istio/pilot:1.31.2-distroless@sha256:00
          env: [{name: CLUSTER_ID, value: east}, {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
  status: {observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 1}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: istio-canary, namespace: istio-system}
  data: {mesh: "defaultConfig: {meshId: prod}\ntrustDomain: example.org\ntrustDomainAliases: [old.example.org]\n"}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: istio-sidecar-injector-canary, namespace: istio-system}
  data: {values: '{"global": {"network": "", "multiCluster": {"clusterName": "east"}}}'}
replicas:
- {namespace: istio-system, pod: a, revision: canary, ready: true, version: {said: 1.31.2}, clusterz: {said: []}, networkz: {said: []}}
- {namespace: istio-system, pod: b, revision: default, ready: true, version: {said: 1.30.0}, clusterz: {said: []}, networkz: {said: []}}
"#;

fn cluster(text: &str) -> ClusterInventory {
    yaml::from_str(text).unwrap()
}

#[test]
fn a_revision_is_read_from_its_own_objects() {
    let east = cluster(EAST);
    let Fact::Known(found) = control_planes(&east) else {
        panic!("there is one");
    };
    let [plane] = found.as_slice() else {
        panic!("there is exactly one");
    };
    assert_eq!(plane.revision, "canary");
    assert_eq!(plane.image_version.as_deref(), Some("1.31.2"));
    assert_eq!(plane.version(), Some("1.31.2"));
    assert_eq!(plane.effective_cluster_id(), Some("east"));
    assert_eq!(plane.mesh_id, Fact::Known("prod".to_owned()));
    assert_eq!(plane.trust_domain, Fact::Known("example.org".to_owned()));
    assert_eq!(plane.trust_domain_aliases, ["old.example.org"]);
    assert_eq!(plane.network, Fact::Known("net-east".to_owned()));
    assert_eq!(plane.injected_network, Fact::Absent);
    assert_eq!(plane.injected_cluster_id, Fact::Known("east".to_owned()));
    assert_eq!(plane.replicas.len(), 1, "the other replica is another revision's");
    assert!(!plane.ready, "one of two is available");
}

#[test]
fn what_was_not_listed_is_unknown() {
    let mut east = cluster(EAST);
    east.lists.clear();
    east.objects.retain(|object| object.kind() == "Deployment");
    let Fact::Known(found) = control_planes(&east) else {
        panic!("there is one");
    };
    assert_eq!(found[0].mesh_id, Fact::Unknown);
    assert_eq!(found[0].network, Fact::Unknown);
    east.objects.clear();
    assert_eq!(control_planes(&east), Fact::Unknown);
    east.lists
        .insert("apps/v1/Deployment?app=istiod".to_owned(), vec![String::new()]);
    assert_eq!(control_planes(&east), Fact::Absent);
}

#[test]
fn a_tag_that_is_no_version_gives_none() {
    for (image, version) in [
        ("registry.istio.io/testing/pilot:latest", None),
        ("localhost:5000/pilot", None),
        ("localhost:5000/pilot:1.30.0-debug", Some("1.30.0")),
        ("pilot:1.32-alpha.ab12", Some("1.32-alpha.ab12")),
    ] {
        assert_eq!(image_version(image).as_deref(), version, "{image}");
    }
}
