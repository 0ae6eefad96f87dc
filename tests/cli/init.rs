//! `stolos init`

use serde_json::{Value, json};

use crate::api_server::{ApiServer, kubeconfig, nobody};
use crate::harness::{Home, Transcript};

/// The objects of a cluster in which `istioctl install` made a control plane.
fn istio(id: &str, network: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "/apis/apps/v1/deployments",
            json!([{
                "metadata": {
                    "namespace": "istio-system", "name": "istiod", "labels": {"app": "istiod"},
                    "managedFields": [{"manager": "istio-operator"}],
                },
                "spec": {"template": {"spec": {"containers": [{
                    "name": "discovery", "image": "istio/pilot:1.31.2",
                    "env": [{"name": "CLUSTER_ID", "value": id}],
                }]}}},
            }]),
        ),
        (
            "/api/v1/namespaces",
            json!([{"metadata": {"name": "istio-system", "labels": {"topology.istio.io/network": network}}}]),
        ),
        (
            "/api/v1/namespaces/istio-system/configmaps",
            json!([{
                "metadata": {"namespace": "istio-system", "name": "istio"},
                "data": {"mesh": "defaultConfig:\n  meshId: mesh1\ntrustDomain: cluster.local\n"},
            }]),
        ),
    ]
}

#[test]
fn a_fleet_file_is_written_from_contexts() {
    let home = Home::new();
    let east = ApiServer::start("11111111-aaaa", &[]);
    let taken = ApiServer::start("22222222-bbbb", &istio("cluster2", "net2"));
    home.write(
        "fleets/prod/kubeconfig",
        &kubeconfig(&[
            ("gke_p_z_east", &east.url),
            ("taken", &taken.url),
            ("away", &nobody()),
            ("again", &east.url),
        ]),
    );
    let mut transcript = Transcript::new(&home);
    let path = "fleets/prod/stolos.yaml";
    transcript
        .set(
            "KUBECONFIG",
            home.path("fleets/prod/kubeconfig").display().to_string(),
        )
        .set("STOLOS_FLEET", path)
        .run(&["init"])
        .run(&["init", "--yes"])
        .run(&["init", "--yes", "--context", "*"])
        .run(&["init", "--yes", "--context", "*", "--model", "multiprimary"])
        .run(&[
            "init",
            "--yes",
            "--context",
            "nowhere",
            "--model",
            "multi-primary",
        ])
        .run(&["init", "--yes", "--context", "*", "--model", "multi-primary"]);
    assert!(!home.path(path).exists());
    transcript
        .run(&[
            "init",
            "--yes",
            "--context",
            "*",
            "--exclude",
            "again",
            "--model",
            "multi-primary",
        ])
        .show(path)
        .run(&["init", "--yes", "--context", "again", "--model", "multi-primary"])
        .run(&["clusters"]);
    for server in [&east, &taken] {
        assert!(
            server
                .requests()
                .iter()
                .all(|request| request.starts_with("GET ")),
            "{:?}",
            server.requests()
        );
    }
    let text = transcript.text();
    assert!(!text.contains("hunter2"));
    transcript.assert("init");
}

#[test]
fn a_mesh_that_runs_is_described() {
    let home = Home::new();
    let one = ApiServer::start("11111111-aaaa", &istio("cluster1", "network1"));
    let two = ApiServer::start("22222222-bbbb", &istio("cluster2", "network2"));
    home.write(
        ".kube/config",
        &kubeconfig(&[("lab-1", &one.url), ("lab-2", &two.url)]),
    );
    let mut transcript = Transcript::new(&home);
    transcript
        .run(&[
            "init",
            "--from-mesh",
            "--yes",
            "--context",
            "lab-*",
            "--name",
            "by-hand",
        ])
        .show("stolos.yaml");
    transcript.assert("init-from-mesh");
}
