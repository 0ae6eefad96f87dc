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
        fleet.assert_served_from(number, &offered, &root);
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

    // An istiod reads when it starts by what it reads its configuration: what is newer is said until then.
    let token = [
        "-n",
        "istio-system",
        "delete",
        "secret",
        "istiod-istio-remote-secret-token",
    ];
    must(fleet.lab.kubectl(&fleet.lab.context(2), &token));
    // The time of a write and that of a start are whole seconds.
    std::thread::sleep(std::time::Duration::from_secs(1));
    must(fleet.lab.stolos(&["apply", "--yes"]));
    let link = Fleet::link(&fleet.status(), "external-1", "external-2");
    assert_eq!(link["state"], "stale", "{link:#}");
    let deployment = ["-n", "istio-system", "rollout", "restart", "deployment/istiod"];
    must(fleet.lab.kubectl(&fleet.lab.context(1), &deployment));
    let rollout = [
        "-n",
        "istio-system",
        "rollout",
        "status",
        "deployment/istiod",
        "--timeout=90s",
    ];
    must(fleet.lab.kubectl(&fleet.lab.context(1), &rollout));
    fleet.until_settled();

    // Whom others hang on does not go without them.
    for name in ["external-1", "external-2"] {
        let alone = fleet.stolos(&["leave", name, "--yes"]);
        assert_eq!(alone.status.code(), Some(1), "{alone:?}");
    }
    let all = ["external-1", "external-2", "external-3"];
    must(
        fleet
            .lab
            .stolos(&[&["leave", "--crds", "--yes"], &all[..]].concat()),
    );
    let left = std::fs::read_to_string(&fleet.file).expect("the fleet file");
    assert!(left.contains("clusters: []"), "{left}");
    for (number, before) in (1..=3).zip(before) {
        let after = everything(&fleet, number);
        let difference: Vec<_> = before.symmetric_difference(&after).collect();
        assert!(difference.is_empty(), "cluster {number}: {difference:?}");
    }
}
