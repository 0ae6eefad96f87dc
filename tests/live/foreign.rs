//! `status` without a fleet file on a mesh that this tool did not make: each fact of its report is
//! held against what kubectl, istioctl and openssl say, and the API servers' audit logs against what
//! it may do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::by_hand;
use crate::fleet::{Fleet, findings, report};
use crate::foreign_facts::{decoded, object, the_cluster, the_control_plane, the_gateways, the_trust};
use crate::foreign_readers::whoever_may_not_read_is_told_so;
use crate::harness::{Lab, json, must, run};
use crate::istiod::{analyzed_errors, remote_clusters, reported_clusters};

#[test]
fn a_mesh_made_by_hand_is_reported_as_it_is_and_left_as_it_is() {
    let lab = by_hand::mesh("hand");
    let before = [1, 2].map(|number| lab.writes_by(&lab.context(number), "stolos/"));
    assert_eq!(
        before,
        [BTreeMap::new(), BTreeMap::new()],
        "nothing of ours was here"
    );

    let output = run(&mut lab.stolos(&["status", "--context", "hand-*", "-o", "json"]));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let status = report(&output);
    assert_eq!(
        (&status["healthy"], &status["complete"], &status["errors"]),
        (&json!(true), &json!(true), &json!([])),
        "{status:#}"
    );
    assert_eq!(status["clusters"].as_array().map(Vec::len), Some(2), "{status:#}");
    for number in [1, 2] {
        let cluster = &status["clusters"][usize::from(number) - 1];
        the_cluster(&lab, number, cluster);
        the_control_plane(&lab, number, cluster);
        the_trust(&lab, number, &cluster["trust"]);
        the_gateways(&lab, number, &cluster["gateways"]);
        istioctl_agrees(&lab, number, cluster);
    }
    assert_eq!(status["links"].as_array().map(Vec::len), Some(2));
    the_link(&lab, &status, 1, 2);
    the_link(&lab, &status, 2, 1);
    the_findings(&lab, &status);

    for format in ["table", "wide", "yaml"] {
        let output = run(&mut lab.stolos(&["status", "--context", "hand-*", "-o", format]));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for fact in ["cluster1", "hand-2", "network2", "10.248.", "synced"] {
            assert!(text.contains(fact), "{format}: {text}");
        }
    }
    must(lab.stolos(&["link", "list", "--context", "hand-*"]));
    must(lab.stolos(&["trust", "show", "--context", "hand-*"]));

    // The file that describes it asks for nothing.
    let init = [
        "init",
        "--from-mesh",
        "--yes",
        "--name",
        "hand",
        "--context",
        "hand-*",
    ];
    must(lab.stolos(&init));
    let plan = json(lab.stolos(&["plan", "-o", "json"]));
    assert_eq!(
        (&plan["steps"], &plan["blocked"]),
        (&json!([]), &json!([])),
        "{plan:#}"
    );
    must(lab.stolos(&["plan", "--exit-code"]));
    let with_file = json(lab.stolos(&["status", "-o", "json"]));
    assert_eq!(with_file["healthy"], true, "{with_file:#}");
    std::fs::remove_file(lab.home.path().join("stolos.yaml")).unwrap();

    only_reviews_and_tunnels(&lab);
    whoever_may_not_read_is_told_so(&lab);
}

/// What the servers wrote down: nothing was written but reviews and tunnels.
fn only_reviews_and_tunnels(lab: &Lab) {
    for number in [1, 2] {
        let context = lab.context(number);
        let ours = |event: &&Value| {
            event["userAgent"]
                .as_str()
                .is_some_and(|agent| agent.starts_with("stolos/"))
        };
        let requests = lab.audit(&context).iter().filter(ours).count();
        assert!(requests > 50, "the log knows this tool: {requests} requests");
        let writes = lab.writes_by(&context, "stolos/");
        for what in writes.keys() {
            let group = what
                .strip_prefix("create ")
                .and_then(|what| what.split_once("reviews."));
            let reviews = group.is_some_and(|(_, group)| group.ends_with(".k8s.io"));
            assert!(reviews || what == "create pods/portforward", "{what}: {writes:?}");
        }
        assert!(
            writes.contains_key("create tokenreviews.authentication.k8s.io"),
            "{writes:?}"
        );
    }
}

fn the_link(lab: &Lab, status: &Value, reader: u8, read: u8) {
    let link = Fleet::link(status, &format!("cluster{reader}"), &format!("cluster{read}"));
    let name = format!("istio-remote-secret-cluster{read}");
    let secret = object(lab, reader, &["-n", "istio-system", "secret", &name]);
    let pods = object(lab, reader, &["-n", "istio-system", "pods", "-l", "app=istiod"]);
    for (said, is) in [
        (&link["state"], json!("synced")),
        (&link["secret"], json!(format!("istio-system/{name}"))),
        (
            &link["observed"],
            json!([{
                "pod": pods["items"][0]["metadata"]["name"], "revision": "default",
                "syncStatus": "synced", "error": null,
            }]),
        ),
        (
            &link["credential"],
            json!({
                "kind": "tokenSecret", "expiresAt": null,
                "createdAt": secret["metadata"]["creationTimestamp"],
            }),
        ),
    ] {
        assert_eq!(said, &is, "{link:#}");
    }
    // The credential is the token of the Secret that istioctl made, and its cluster takes it.
    let token = object(lab, read, &["-n", "istio-system", "secret", TOKEN_SECRET]);
    let token = decoded(&token["data"]["token"]);
    let kubeconfig = decoded(&secret["data"][format!("cluster{read}")]);
    assert!(kubeconfig.contains(&token), "the remote secret holds that token");
    let whoami = must(lab.kubectl(
        &lab.context(read),
        &["auth", "whoami", "-o", "json", "--token", &token],
    ));
    assert!(!whoami.is_empty());
}

/// The Secret that `istioctl create-remote-secret` makes for the reader's token.
pub const TOKEN_SECRET: &str = "istio-reader-service-account-istio-remote-secret-token";

/// Exactly what is true: the tokens in kubectl's annotation, and intermediates that cannot revoke.
fn the_findings(lab: &Lab, status: &Value) {
    let found: BTreeSet<_> = status["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| {
            ["severity", "code", "cluster"].map(|key| finding[key].as_str().unwrap_or_default().to_owned())
        })
        .collect();
    let mut expected = BTreeSet::new();
    for (number, other) in [(1, 2), (2, 1)] {
        let cluster = format!("cluster{number}");
        let name = format!("istio-remote-secret-cluster{other}");
        let secret = object(lab, number, &["-n", "istio-system", "secret", &name]);
        let annotation =
            &secret["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
        assert!(annotation.to_string().contains("token: "), "it is true");
        expected.insert(["warning", "remote-secret-annotation", &cluster].map(str::to_owned));
        let cacerts = object(lab, number, &["-n", "istio-system", "secret", "cacerts"]);
        lab.home
            .write("shown.pem", decoded(&cacerts["data"]["ca-cert.pem"]));
        let mut usage = lab.home.command("openssl");
        usage.args(["x509", "-noout", "-in", "shown.pem", "-ext", "keyUsage"]);
        assert!(!must(usage).contains("CRL Sign"), "it is true");
        expected.insert(["info", "authority-cannot-revoke", &cluster].map(str::to_owned));
    }
    assert_eq!(found, expected, "{status:#}");
    assert_eq!(status["findings"].as_array().map(Vec::len), Some(expected.len()));
}

fn istioctl_agrees(lab: &Lab, number: u8, cluster: &Value) {
    let context = lab.context(number);
    let said = remote_clusters(lab, &context);
    assert!(said.len() >= 2, "{said:?}");
    assert_eq!(reported_clusters(cluster), said);
    assert_eq!(analyzed_errors(lab, &context), Vec::<String>::new());
}

#[test]
fn istioctl_agrees_on_our_own_mesh() {
    let fleet = Fleet::applied("agree", 2);
    let status = fleet.status();
    assert_eq!(findings(&status, "error"), Vec::<String>::new(), "{status:#}");
    assert_eq!(status["healthy"], true);
    for number in [1, 2] {
        istioctl_agrees(&fleet.lab, number, &status["clusters"][usize::from(number) - 1]);
    }
}
