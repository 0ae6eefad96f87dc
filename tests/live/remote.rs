//! Primary-remote: a control plane in one cluster for others, found through its gateway.

use std::collections::BTreeSet;

use crate::everything::everything;
use crate::fleet::Fleet;
use crate::harness::must;
use crate::istiod::{istiods_word, texts};

/// Applies, after which there is nothing to do and the mesh is healthy.
fn apply(fleet: &Fleet, arguments: &[&str]) {
    must(fleet.lab.stolos(arguments));
    fleet.until_settled();
}

const REMOTE: &str = "    role: remote\n    primary: remote-1\n";

/// A primary and a cluster on its network.
fn clusters(network: &str, more: &str) -> String {
    format!("  - name: remote-1\n    network: {network}\n  - name: remote-2\n    network: {network}\n{more}")
}

#[test]
fn remotes_on_one_and_on_several_networks_are_served_by_their_primary_and_leave_no_trace() {
    let fleet = Fleet::written(
        "remote",
        3,
        "primary-remote",
        &format!(
            "{}  - name: remote-3\n    network: far\n{REMOTE}",
            clusters("near", REMOTE)
        ),
    );
    let before: Vec<_> = (1..=3).map(|number| everything(&fleet, number)).collect();
    apply(&fleet, &["apply", "--yes"]);

    // The one istiod reads exactly these, and knows exactly these gateways.
    let gateway = |number| fleet.address(number, "istio-eastwestgateway");
    let gateways: Vec<String> = (1..=3).map(gateway).collect();
    for said in istiods_word(&fleet.lab, 1, "/debug/clusterz") {
        assert_eq!(texts(&said, "id"), ["remote-1", "remote-2", "remote-3"]);
        assert_eq!(texts(&said, "syncStatus"), ["synced"; 3]);
    }
    for said in istiods_word(&fleet.lab, 1, "/debug/networkz") {
        assert_eq!(texts(&said, "Network"), ["far", "near", "near"], "{said:#}");
        assert_eq!(texts(&said, "Addr"), gateways, "{said:#}");
    }

    for number in [2, 3] {
        fleet.assert_served_from(number, &gateways[0], &fleet.published_root(1));
    }

    // One that has had a control plane of its own is led by an istiod that has read it all along, and
    // is not started anew: it has another remote.
    let generation = || {
        let istiod = fleet.object(1, &["-n", "istio-system", "deployment", "istiod"]);
        istiod["metadata"]["generation"].clone()
    };
    let before_it = generation();
    let near = clusters("near", REMOTE);
    let far = |more: &str| format!("{near}  - name: remote-3\n    network: far\n{more}");
    fleet.write("primary-remote", &far(""));
    apply(&fleet, &["apply", "--yes", "--allow-disruption"]);
    fleet.write("primary-remote", &far(REMOTE));
    apply(&fleet, &["apply", "--yes", "--allow-disruption"]);
    assert_eq!(generation(), before_it);
    assert!(fleet.injected(3).contains("istio-proxy"));

    let alone = fleet.stolos(&["leave", "remote-1", "--yes"]);
    assert_eq!(alone.status.code(), Some(1), "{alone:?}");
    // Somebody's own resource would go with the definitions: that is said, and wants consent.
    let theirs = r#"{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "theirs", "namespace": "default"}, "spec": {
            "hosts": ["theirs.example"], "http": [{"route": [{"destination": {"host": "theirs.default"}}]}]}}"#;
    fleet.lab.home.write("theirs.json", theirs);
    let create = ["create", "-f", "theirs.json"];
    must(fleet.lab.kubectl(&fleet.lab.context(1), &create));
    let refused = fleet.stolos(&["mesh", "uninstall", "--crds", "--dry-run"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("VirtualService default/theirs"), "{said}");
    must(fleet.lab.stolos(&["mesh", "uninstall", "--crds", "--yes"]));
    for (number, before) in (1..=3).zip(before) {
        let after = everything(&fleet, number);
        let difference: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(difference.is_empty(), "cluster {number}: {difference:?}");
    }
}

/// A cluster's item in a fleet file.
fn item(number: u8, network: &str, more: &str) -> String {
    format!("  - name: evolve-{number}\n    network: {network}\n{more}")
}

#[test]
fn one_fleet_file_grows_spans_networks_and_gives_up_a_control_plane() {
    let two = [item(1, "near", ""), item(2, "near", "")].concat();
    let fleet = Fleet::written("evolve", 3, "multi-primary", &two);
    // Addresses that the other cluster of the network has are none of one's own.
    let range = r#"{"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "more"},
        "spec": {"cidrs": ["10.1.128.0/24"]}}"#;
    fleet.lab.apply(&fleet.lab.context(2), range);
    let refused = fleet.stolos(&["plan"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(
        said.contains("10.1.128.0/24") && said.contains("10.1.0.0/16"),
        "{said}"
    );
    let delete = ["delete", "servicecidr", "more"];
    must(fleet.lab.kubectl(&fleet.lab.context(2), &delete));
    apply(&fleet, &["apply", "--yes"]);
    // What is not the fleet's, and what should not be moved by what happens elsewhere.
    let context = fleet.lab.context(2);
    let theirs = ["-n", "istio-system", "create", "configmap", "theirs"];
    must(fleet.lab.kubectl(&context, &theirs));
    let untouched = || {
        let theirs = fleet.object(2, &["-n", "istio-system", "configmap", "theirs"]);
        let istiod = fleet.object(2, &["-n", "istio-system", "deployment", "istiod"]);
        (
            theirs["metadata"]["resourceVersion"].clone(),
            istiod["metadata"]["generation"].clone(),
        )
    };
    let before = untouched();

    fleet.write("multi-primary", &[&two, &*item(3, "near", "")].concat());
    apply(&fleet, &["apply", "--yes"]);
    fleet.write("multi-primary", &[&two, &*item(3, "far", "")].concat());
    apply(&fleet, &["apply", "--yes"]);

    let remote = item(3, "far", "    role: remote\n    primary: evolve-1\n");
    fleet.write("primary-remote", &[&two, &*remote].concat());
    let plan = fleet.plan();
    let steps = plan["steps"].as_array().expect("steps");
    let anew: BTreeSet<&str> = steps
        .iter()
        .filter(|step| step["disruptive"] == true && step["action"] == "delete")
        .filter_map(|step| step["object"]["name"].as_str())
        .collect();
    for name in ["istiod", "istio-remote-secret-evolve-1", "cacerts"] {
        assert!(anew.contains(name), "{name} is not among {anew:?}");
    }
    let refused = fleet.stolos(&["apply", "--yes"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    apply(&fleet, &["apply", "--yes", "--allow-disruption"]);
    let slices = ["-n", "istio-system", "get", "endpointslices", "-o", "name"];
    let slices = must(
        fleet
            .lab
            .kubectl(&fleet.lab.context(3), &slices)
            .args(["-l", "kubernetes.io/service-name=istiod"]),
    );
    assert_eq!(
        slices.lines().count(),
        1,
        "nothing leads to the old istiod: {slices}"
    );
    let pod = fleet.injected(3);
    assert!(pod.contains("istio-proxy"), "{pod}");
    assert_eq!(untouched(), before);

    fleet.write("multi-primary", &[&two, &*item(3, "far", "")].concat());
    apply(&fleet, &["apply", "--yes", "--allow-disruption"]);
    assert!(fleet.injected(3).contains("istio-proxy"));
    assert_eq!(untouched(), before);
}
