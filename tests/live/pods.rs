//! The pods and Services of a lab: what runs for real does what it would in a cluster.

use serde_json::{Value, json};

use crate::harness::{Lab, eventually, must, run};

#[test]
fn istiod_runs_for_real() {
    let lab = Lab::up("istio", 1);
    let context = lab.context(1);
    install_istio(&lab, &context);
    let ready = |arguments: &[&str]| {
        let rollout = [
            "-n",
            "istio-system",
            "rollout",
            "status",
            "deployment/istiod",
            "--timeout=90s",
        ];
        must(lab.kubectl(&context, &[&rollout, arguments].concat()));
    };
    ready(&[]);

    // istioctl reaches its debug endpoints by port-forward, and its webhooks are called.
    let remotes = must(lab.istioctl(&context, &["remote-clusters"]));
    assert!(remotes.contains("synced"), "{remotes}");
    let analyzed = run(&mut lab.exec(&["istioctl", "analyze", "--context", &context, "-n", "istio-system"]));
    let said = String::from_utf8_lossy(&analyzed.stderr);
    assert!(said.contains("No validation issues"), "{said}");
    must(lab.kubectl(
        &context,
        &["label", "namespace", "default", "istio-injection=enabled"],
    ));
    let containers = eventually("a pod is injected", || {
        let output = run(&mut lab.kubectl(
            &context,
            &["run", "try", "--image=busybox", "--dry-run=server", "-o", "json"],
        ));
        let pod: Value = serde_json::from_slice(&output.stdout).ok()?;
        let containers = pod["spec"]["containers"].as_array()?.len();
        (containers == 2).then_some(containers)
    });
    assert_eq!(containers, 2);
    let logs = must(lab.kubectl(&context, &["-n", "istio-system", "logs", "deployment/istiod"]));
    assert!(logs.contains("starting webhook service"), "{logs}");

    the_bridge_keeps_its_link_address(&lab);

    let first = istiods(&lab);
    assert_eq!(first.len(), 1);
    let deployment = ["-n", "istio-system"];
    must(lab.kubectl(
        &context,
        &[&deployment[..], &["rollout", "restart", "deployment/istiod"]].concat(),
    ));
    ready(&[]);
    must(lab.kubectl(
        &context,
        &[&deployment[..], &["scale", "deployment/istiod", "--replicas=2"]].concat(),
    ));
    ready(&[]);
    let two = eventually("two istiods run", || {
        let found = istiods(&lab);
        (found.len() == 2).then_some(found)
    });
    assert!(!two.contains(&first[0]), "the first was replaced");
    must(lab.kubectl(
        &context,
        &[&deployment[..], &["delete", "deployment", "istiod"]].concat(),
    ));
    eventually("no istiod runs", || istiods(&lab).is_empty().then_some(()));
    let doors = must(lab.kubectl(
        &context,
        &["get", "clusterportforwards,clusterlogs", "-o", "name"],
    ));
    assert_eq!(doors, "");
    assert!(
        lab.writes_by(&context, "kubectl")
            .contains_key("delete deployments.apps")
    );
}

#[test]
fn volumes_wait_for_what_they_need_and_follow_it() {
    let lab = Lab::up("volumes", 1);
    let context = lab.context(1);
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"},
        "spec": {
            "containers": [{
                "name": "c", "image": "registry.example/pilot:any",
                // It says its version and ends: the lab starts it again and again.
                "args": ["version"],
                "volumeMounts": [{"name": "needed", "mountPath": "/needed"}, {"name": "maybe", "mountPath": "/maybe"}],
            }],
            "volumes": [
                {"name": "needed", "secret": {"secretName": "needed"}},
                {"name": "maybe", "configMap": {"name": "maybe", "optional": true}},
            ],
        },
    });
    lab.apply(&context, &pod.to_string());
    let waiting = eventually("the pod says what it waits for", || {
        let pod = lab.object(&context, &["pod", "p"])?;
        let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"];
        Some(waiting.as_str()?.to_owned())
    });
    assert_eq!(waiting, "secret \"needed\" not found");
    let secret = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "needed", "namespace": "default"},
            "stringData": {"key": value},
        })
        .to_string()
    };
    lab.apply(&context, &secret("one"));
    eventually("the pod runs, ends and runs again", || {
        let pod = lab.object(&context, &["pod", "p"])?;
        let container = &pod["status"]["containerStatuses"][0];
        let ended = &container["lastState"]["terminated"]["exitCode"];
        (container["restartCount"].as_u64()? >= 2 && *ended == 0).then_some(())
    });
    let logs = must(lab.kubectl(&context, &["logs", "p"]));
    assert!(logs.contains("Version:"), "{logs}");
    let uid = lab.object(&context, &["pod", "p"]).expect("the pod is there")["metadata"]["uid"].clone();
    let folder = lab
        .kubeconfig
        .with_file_name("pods")
        .join(&context)
        .join(uid.as_str().expect("a UID is text"));
    let read = || std::fs::read_to_string(folder.join("volumes/needed/key")).ok();
    assert_eq!(read().as_deref(), Some("one"));
    lab.apply(&context, &secret("two"));
    eventually("the file follows the Secret", || (read()? == "two").then_some(()));
    must(lab.kubectl(&context, &["delete", "pod", "p"]));
    eventually("the pod's folder is gone", || (!folder.exists()).then_some(()));
}

#[test]
fn other_pods_are_said_to_run_and_services_get_addresses() {
    let lab = Lab::up("fakes", 2);
    let mut addresses = Vec::new();
    for context in [lab.context(1), lab.context(2)] {
        must(lab.kubectl(
            &context,
            &["create", "deployment", "web", "--image=nginx", "--replicas=3"],
        ));
        must(lab.kubectl(
            &context,
            &["rollout", "status", "deployment/web", "--timeout=60s"],
        ));
        must(lab.kubectl(
            &context,
            &["expose", "deployment", "web", "--port=80", "--type=LoadBalancer"],
        ));
        addresses.push(eventually("the Service has an address", || {
            let service = lab.object(&context, &["service", "web"])?;
            let address = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
            Some(address.as_str()?.to_owned())
        }));
        let endpoints = eventually("the pods are endpoints", || {
            let slices = lab.object(
                &context,
                &["endpointslices", "-l", "kubernetes.io/service-name=web"],
            )?;
            let endpoints = slices["items"][0]["endpoints"].as_array()?.len();
            (endpoints == 3).then_some(endpoints)
        });
        assert_eq!(endpoints, 3);
        let job = ["create", "job", "once", "--image=busybox"];
        must(lab.kubectl(&context, &job));
        must(lab.kubectl(
            &context,
            &["wait", "--for=condition=complete", "job/once", "--timeout=60s"],
        ));
    }
    assert_eq!(addresses, ["10.248.1.1", "10.248.2.1"]);
    let context = lab.context(1);
    must(lab.kubectl(
        &context,
        &[
            "patch",
            "service",
            "web",
            "-p",
            "{\"spec\":{\"type\":\"ClusterIP\"}}",
        ],
    ));
    eventually("the address is taken back", || {
        let service = lab.object(&context, &["service", "web"])?;
        service["status"]["loadBalancer"]["ingress"]
            .is_null()
            .then_some(())
    });
    // What is said to run stays so while the cluster is off, and goes on when it is back.
    must(lab.stolos(&["lab", "stop", &context]));
    must(lab.stolos(&["lab", "start", &context]));
    must(lab.kubectl(&context, &["scale", "deployment/web", "--replicas=5"]));
    must(lab.kubectl(
        &context,
        &["rollout", "status", "deployment/web", "--timeout=60s"],
    ));
}

/// Istio's control plane alone, as its own tool renders it.
fn install_istio(lab: &Lab, context: &str) {
    must(lab.kubectl(context, &["create", "namespace", "istio-system"]));
    let manifests = must(lab.istioctl(
        context,
        &[
            "manifest",
            "generate",
            "--set",
            "profile=minimal",
            "--set",
            "values.defaultRevision=default",
            "--set",
            "values.global.meshID=m",
            "--set",
            &format!("values.global.multiCluster.clusterName={context}"),
            "--set",
            "values.global.network=n1",
        ],
    ));
    lab.apply(context, &manifests);
}

/// Who sends to the bridge finds it whatever pods come: also where one has the lowest link address,
/// which is what a bridge without an address of its own takes for itself.
fn the_bridge_keeps_its_link_address(lab: &Lab) {
    let bridge = || must(&mut lab.exec(&["ip", "-o", "link", "show", "br0"]));
    let before = bridge();
    let add = ["ip", "link", "add", "lowest", "address", "00:00:00:00:00:01"];
    let peer = ["type", "veth", "peer", "name", "peer"];
    must(&mut lab.exec(&[&add[..], &peer[..]].concat()));
    must(&mut lab.exec(&["ip", "link", "set", "lowest", "master", "br0", "up"]));
    assert_eq!(bridge(), before);
    must(&mut lab.exec(&["ip", "link", "delete", "lowest"]));
}

/// The istiods that run in a lab, by their folders in its `/proc`.
fn istiods(lab: &Lab) -> Vec<String> {
    let output = run(&mut lab.exec(&[
        "sh",
        "-c",
        "for p in /proc/[0-9]*; do echo \"$p $(tr '\\0' ' ' < $p/cmdline)\"; done",
    ]));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| line.contains(" /usr/local/bin/pilot-discovery discovery "))
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect()
}
