//! The main job: from contexts to one mesh, kept, mended and taken back.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fleet::{Fleet, findings};
use crate::harness::must;
use crate::istiod::istiods_word;

/// The texts of a field in a list.
fn texts(list: &Value, field: &str) -> BTreeSet<String> {
    let entries = list.as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| Some(entry[field].as_str()?.to_owned()))
        .collect()
}

fn secret_text(fleet: &Fleet, number: u8, name: &str, key: &str) -> String {
    use base64::Engine;
    let secret = fleet.object(number, &["-n", "istio-system", "secret", name]);
    let encoded = secret["data"][key].as_str().expect("the Secret has the key");
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded);
    String::from_utf8(decoded.expect("base64")).expect("text")
}

#[test]
fn three_clusters_become_one_mesh_and_stay_as_they_are() {
    let fleet = Fleet::init("three", 3);
    let applied = fleet.stolos(&["apply", "--yes"]);
    assert!(applied.status.success(), "{applied:?}");
    fleet.assert_settled();

    let status = fleet.stolos(&["status"]);
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    let report = fleet.status();
    assert_eq!(report["healthy"], true, "{report:#}");
    assert_eq!(report["links"].as_array().map(Vec::len), Some(6));
    for reader in ["three-1", "three-2", "three-3"] {
        for read in ["three-1", "three-2", "three-3"] {
            if reader != read {
                assert_eq!(Fleet::link(&report, reader, read)["state"], "synced");
            }
        }
    }

    // What the report says is what each istiod says to istioctl.
    for number in 1..=3 {
        let context = fleet.lab.context(number);
        let clusters = must(fleet.lab.istioctl(&context, &["remote-clusters"]));
        for name in ["three-1", "three-2", "three-3"] {
            let line = clusters.lines().find(|line| line.starts_with(name));
            assert!(line.is_some_and(|line| line.contains("synced")), "{clusters}");
        }
        let all: BTreeSet<String> = (1..=3).map(|other| fleet.lab.context(other)).collect();
        for said in istiods_word(&fleet.lab, number, "/debug/networkz") {
            assert_eq!(
                texts(&said, "Network"),
                all,
                "the gateways that {context} knows: {said:#}"
            );
        }
        for said in istiods_word(&fleet.lab, number, "/debug/clusterz") {
            assert_eq!(
                texts(&said, "id"),
                all,
                "the clusters that {context} knows: {said:#}"
            );
            assert_eq!(
                texts(&said, "syncStatus"),
                BTreeSet::from(["synced".to_owned()]),
                "{said:#}"
            );
        }
    }

    // One root over all intermediates, in openssl's judgement.
    let folder = fleet.lab.home.path();
    for number in 1..=3 {
        for key in ["root-cert.pem", "ca-cert.pem"] {
            std::fs::write(
                folder.join(format!("{number}-{key}")),
                secret_text(&fleet, number, "cacerts", key),
            )
            .unwrap();
        }
    }
    for number in 1..=3 {
        must(
            fleet
                .lab
                .home
                .command("openssl")
                .args(["verify", "-x509_strict", "-CAfile", "1-root-cert.pem"])
                .arg(format!("{number}-ca-cert.pem")),
        );
    }

    // Applying again writes nothing anywhere and lists each kind once, by the servers' own record.
    let record = || -> Vec<_> {
        (1..=3)
            .map(|number| fleet.lab.requests_by(&fleet.lab.context(number), "stolos/"))
            .collect()
    };
    let before = record();
    let again = fleet.stolos(&["apply", "--yes"]);
    assert!(again.status.success(), "{again:?}");
    for (number, (before, mut asked)) in (1..=3).zip(before.into_iter().zip(record())) {
        for (what, count) in &mut asked {
            *count -= before.get(what).copied().unwrap_or_default();
        }
        asked.retain(|_, count| *count > 0);
        let (mut lists, mut kinds) = (0, BTreeSet::new());
        for (what, count) in &asked {
            let (verb, resource) = what.split_once(' ').expect("a verb and a resource");
            match (verb, resource) {
                // Questions: as whom this is done, whether tokens are taken, and to istiod.
                (
                    "create",
                    "tokenreviews.authentication.k8s.io" | "selfsubjectreviews.authentication.k8s.io",
                )
                | (_, "pods/portforward") => {}
                ("list", resource) => {
                    lists += count;
                    kinds.insert(resource);
                }
                // Paths without a resource, such as `/version`, are no kind.
                ("get", resource) if !resource.is_empty() => drop(kinds.insert(resource)),
                ("get", _) => {}
                _ => panic!("{what} in cluster {number}: {asked:?}"),
            }
        }
        assert!(lists > 0 && lists <= kinds.len(), "cluster {number}: {asked:?}");
    }

    // A pod in an injected namespace comes back with a sidecar: the real webhook answered.
    let injected = fleet.injected(2);
    assert!(injected.contains("istio-proxy"), "{injected}");
}

#[test]
fn a_link_whose_token_is_gone_is_rejected_and_mended_and_a_cluster_leaves_without_a_trace() {
    let fleet = Fleet::applied("mend", 2);
    let contexts = [fleet.lab.context(1), fleet.lab.context(2)];
    let secret = "istio-reader-service-account-istio-remote-secret-token";
    must(
        fleet
            .lab
            .kubectl(&contexts[0], &["-n", "istio-system", "delete", "secret", secret]),
    );
    let report = fleet.status();
    let link = Fleet::link(&report, "mend-2", "mend-1");
    assert_eq!(link["state"], "rejected", "{link:#}");
    assert_eq!(
        link["observed"][0]["syncStatus"], "synced",
        "istiod still says so: {link:#}"
    );
    assert_eq!(fleet.stolos(&["status"]).status.code(), Some(3));
    assert!(
        findings(&report, "error").contains(&"link-rejected".to_owned()),
        "{report:#}"
    );
    must(fleet.lab.stolos(&["apply", "--yes"]));
    let report = fleet.status();
    assert_eq!(
        Fleet::link(&report, "mend-2", "mend-1")["state"],
        "synced",
        "{report:#}"
    );
    fleet.assert_settled();

    // Somebody's own object in a namespace of ours is no business of ours, and stays.
    must(fleet.lab.kubectl(
        &contexts[1],
        &["-n", "istio-system", "create", "configmap", "theirs"],
    ));
    let before = std::fs::read_to_string(&fleet.file).unwrap();
    let left = fleet.stolos(&["leave", "mend-2", "--yes"]);
    assert!(left.status.success(), "{left:?}");
    let said = String::from_utf8_lossy(&left.stderr).into_owned();
    assert!(said.contains("ConfigMap theirs"), "what stays is named: {said}");
    assert!(
        fleet
            .lab
            .object(&contexts[1], &["-n", "istio-system", "configmap", "theirs"])
            .is_some()
    );
    for gone in [
        ["-n", "istio-system", "deployment", "istiod"],
        ["-n", "istio-system", "secret", "cacerts"],
        ["-n", "default", "configmap", "istio-ca-root-cert"],
        ["-n", "kube-system", "configmap", "istio-ca-crl"],
    ] {
        assert!(fleet.lab.object(&contexts[1], &gone).is_none(), "{gone:?}");
    }
    assert!(
        fleet
            .lab
            .object(
                &contexts[0],
                &["-n", "istio-system", "secret", "istio-remote-secret-mend-2"]
            )
            .is_none()
    );
    let after = std::fs::read_to_string(&fleet.file).unwrap();
    assert!(
        before.contains("mend-2") && !after.contains("name: mend-2"),
        "{after}"
    );
    fleet.assert_settled();

    // It can come back, over what stayed.
    let joined = fleet.stolos(&["join", "mend-2"]);
    assert!(joined.status.success(), "{joined:?}");
    let applied = fleet.stolos(&["apply", "--yes"]);
    assert!(applied.status.success(), "{applied:?}");
    fleet.assert_settled();
    assert_eq!(fleet.status()["healthy"], true);
}
