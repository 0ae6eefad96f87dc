//! A mesh that somebody installed with `istioctl`, by Istio's documents, becomes a fleet's.

use serde_json::Value;

use crate::by_hand;
use crate::harness::{Lab, json, must, run};

const SYSTEM: [&str; 2] = ["-n", "istio-system"];

/// What must not change where a mesh is taken over: what runs, and at which address.
fn running(lab: &Lab, number: u8) -> Vec<Value> {
    let running = [
        "deployment/istiod",
        "deployment/istio-eastwestgateway",
        "service/istio-eastwestgateway",
    ];
    let running = running.map(|name| lab.object(&lab.context(number), &[&SYSTEM[..], &[name]].concat()));
    let facts = |object: Option<Value>| {
        let object = object.expect("it stands");
        let (metadata, balancer) = (&object["metadata"], &object["status"]["loadBalancer"]);
        vec![metadata["uid"].clone(), object["spec"].clone(), balancer.clone()]
    };
    running.into_iter().flat_map(facts).collect()
}

/// The objects with a label that `istioctl install` prunes and uninstalls by.
fn of_istioctl(lab: &Lab, number: u8) -> Vec<String> {
    let kinds = "deployments,services,serviceaccounts,configmaps,roles,rolebindings,clusterroles,clusterrolebindings,\
                 mutatingwebhookconfigurations,validatingwebhookconfigurations,customresourcedefinitions,\
                 horizontalpodautoscalers";
    let list = ["get", kinds, "-A", "-o", "name", "-l"];
    let label = "install.operator.istio.io/owning-resource";
    let names = must(lab.kubectl(&lab.context(number), &list).arg(label));
    names.lines().map(str::to_owned).collect()
}

#[test]
fn what_istioctl_installed_becomes_the_fleets_and_nothing_is_restarted() {
    let lab = by_hand::mesh("adopt");
    let init = [
        "init",
        "--from-mesh",
        "--yes",
        "--name",
        "adopted",
        "--context",
        "adopt-*",
    ];
    must(lab.stolos(&init));
    // The file that was written leaves to others what is theirs.
    let file = lab.home.path().join("stolos.yaml");
    let written = std::fs::read_to_string(&file).unwrap();
    let all = written
        .lines()
        .filter(|line| !line.trim_start().starts_with("manage:"));
    lab.home.write(
        "stolos.yaml",
        all.map(|line| format!("{line}\n")).collect::<String>(),
    );

    let refused = run(&mut lab.stolos(&["plan"]));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(
        String::from_utf8_lossy(&refused.stdout).contains("or take it over: add --adopt"),
        "{refused:?}"
    );

    let before = [1, 2].map(|number| running(&lab, number));
    must(lab.stolos(&["plan", "--adopt", "--out", "approved.json"]));
    let apply = ["apply", "approved.json", "--yes", "--allow-disruption"];
    must(lab.stolos(&apply));
    must(lab.stolos(&["plan", "--exit-code"]));
    assert_eq!([1, 2].map(|number| running(&lab, number)), before);
    let report = json(lab.stolos(&["status", "-o", "json"]));
    assert_eq!(report["healthy"], true, "{report:#}");
    for number in [1, 2] {
        let context = lab.context(number);
        let left = of_istioctl(&lab, number);
        // The default profile's, which the fleet file does not ask for.
        assert!(
            left.iter().all(|name| name.contains("istio-ingressgateway")),
            "{left:?}"
        );
        must(lab.kubectl(&context, &["create", "namespace", "sample"]));
        must(lab.kubectl(
            &context,
            &["label", "namespace", "sample", "istio-injection=enabled"],
        ));
        let pod = [
            "-n",
            "sample",
            "run",
            "client",
            "--image=client",
            "--dry-run=server",
            "-o",
            "yaml",
        ];
        let pod = must(lab.kubectl(&context, &pod));
        let proxies = pod.lines().filter(|line| line.trim() == "name: istio-proxy");
        assert_eq!(proxies.count(), 1, "{pod}");
        let exposed = ["gateways.networking.istio.io", "cross-network-gateway"];
        let exposed = lab.object(&context, &[&SYSTEM[..], &exposed[..]].concat());
        let labels = &exposed.expect("what kubectl applied stands")["metadata"]["labels"];
        assert_eq!(labels["stolos.dev/fleet"], Value::Null, "and is kubectl's");
    }

    // It can be taken back as any other.
    must(lab.stolos(&["mesh", "uninstall", "--yes", "--allow-disruption"]));
    for number in [1, 2] {
        let deployments =
            must(lab.kubectl(&lab.context(number), &["get", "deployments", "-A", "-o", "name"]));
        assert_eq!(deployments, "deployment.apps/istio-ingressgateway\n");
    }
}
