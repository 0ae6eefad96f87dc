//! An external control plane: an istiod in one cluster for others, which it finds its configuration in.

use crate::everything::everything;
use crate::fleet::Fleet;
use crate::harness::{Lab, must, run};
use crate::istiod::{istiods_word, texts};

#[test]
fn an_external_istiod_serves_its_config_cluster_and_a_remote_and_leaves_no_trace() {
    let lab = Lab::up("external", 3);
    let init = ["init", "--yes", "--context", "external-*", "--name", "external"];
    must(lab.stolos(&[&init[..], &["--model", "external-control-plane"]].concat()));
    let file = lab.home.path().join("stolos.yaml");
    let fleet = Fleet { lab, file };
    let before: Vec<_> = (1..=3).map(|number| everything(&fleet, number)).collect();
    must(fleet.lab.stolos(&["apply", "--yes"]));
    fleet.until_settled();

    // The one istiod goes by its config cluster's ID, and knows both clusters and both gateways.
    for said in istiods_word(&fleet.lab, 1, "/debug/clusterz") {
        assert_eq!(texts(&said, "id"), ["external-2", "external-3"]);
        assert_eq!(texts(&said, "syncStatus"), ["synced"; 2]);
    }
    let gateways: Vec<String> = [2, 3]
        .into_iter()
        .map(|number| fleet.address(number, "istio-eastwestgateway"))
        .collect();
    for said in istiods_word(&fleet.lab, 1, "/debug/networkz") {
        assert_eq!(texts(&said, "Network"), ["external-2", "external-3"], "{said:#}");
        assert_eq!(texts(&said, "Addr"), gateways, "{said:#}");
    }
    let root = fleet.published_root(2);
    let offered = fleet.address(1, "istiod-external");
    for number in [2, 3] {
        let context = fleet.lab.context(number);
        let deployments = [
            "-n",
            "istio-system",
            "get",
            "deployments",
            "-l",
            "app=istiod",
            "-o",
            "name",
        ];
        assert_eq!(must(fleet.lab.kubectl(&context, &deployments)), "");
        let slice = fleet.object(number, &["-n", "istio-system", "endpointslice", "istiod"]);
        assert_eq!(slice["endpoints"][0]["addresses"][0], offered.as_str());
        let hook = ["mutatingwebhookconfiguration", "istio-sidecar-injector"];
        fleet.assert_answered_by(number, &hook, &root);
        let pod = fleet.injected(number);
        assert!(pod.contains("istio-proxy"), "{pod}");
        let identity = format!("name: ISTIO_META_CLUSTER_ID\n      value: {context}");
        assert!(pod.contains(&identity), "{pod}");
    }
    // Configuration is judged where it is read from, by the istiod that reads it.
    let validator = ["validatingwebhookconfiguration", "istio-validator-istio-system"];
    fleet.assert_answered_by(2, &validator, &root);
    fleet.lab.home.write(
        "wrong.json",
        r#"{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "wrong", "namespace": "default"}, "spec": {"hosts": ["a.example"]}}"#,
    );
    let create = ["create", "--dry-run=server", "-f", "wrong.json"];
    let refused = run(&mut fleet.lab.kubectl(&fleet.lab.context(2), &create));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("validation.istio.io"), "{said}");

    // Whom others hang on does not go without them.
    for name in ["external-1", "external-2"] {
        let alone = fleet.stolos(&["leave", name, "--yes"]);
        assert_eq!(alone.status.code(), Some(1), "{alone:?}");
    }
    must(fleet.lab.stolos(&["mesh", "uninstall", "--crds", "--yes"]));
    for (number, before) in (1..=3).zip(before) {
        let after = everything(&fleet, number);
        let difference: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(difference.is_empty(), "cluster {number}: {difference:?}");
    }
}
