//! A mesh made by hand, then broken by hand: `status` without a fleet file says what broke, and
//! nothing else.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::by_hand;
use crate::fleet::{Fleet, findings, report};
use crate::foreign::TOKEN_SECRET;
use crate::foreign_facts::in_short;
use crate::harness::{Lab, must, run};

#[test]
fn what_somebody_breaks_by_hand_is_said_without_a_file() {
    let lab = by_hand::mesh("broken");
    settled(&lab, &[]);

    // A remote secret is deleted, and comes back.
    must(in_system(
        &lab,
        1,
        &["delete", "secret", "istio-remote-secret-cluster2"],
    ));
    let status = settled(&lab, &["link-missing"]);
    assert_eq!(state(&status, 1, 2), "missing");
    assert_eq!(state(&status, 2, 1), "synced");
    by_hand::link(&lab, 1, 2);
    settled(&lab, &[]);

    // A token's Secret is deleted: istiod goes on saying that it is synced.
    must(in_system(&lab, 2, &["delete", "secret", TOKEN_SECRET]));
    let status = settled(&lab, &["link-rejected"]);
    assert_eq!(state(&status, 1, 2), "rejected");
    let link = Fleet::link(&status, "cluster1", "cluster2");
    assert_eq!(link["observed"][0]["syncStatus"], "synced", "{link:#}");
    assert_eq!(state(&status, 2, 1), "synced");
    by_hand::link(&lab, 1, 2);
    settled(&lab, &[]);

    // One cluster gets another root, and istiod takes it up when it is restarted.
    by_hand::make_root(&lab, "other", "Other Root");
    let secret = by_hand::cacerts(&lab, "other", "cluster2");
    must(in_system(&lab, 2, &["delete", "secret", "cacerts"]));
    must(lab.kubectl(&lab.context(2), &["create"]).args(secret));
    must(in_system(&lab, 2, &["rollout", "restart", "deployment/istiod"]));
    let wait = ["rollout", "status", "deployment/istiod", "--timeout=90s"];
    must(in_system(&lab, 2, &wait));
    let status = settled(&lab, &["roots-disjoint"]);
    for (index, root) in ["root", "other"].into_iter().enumerate() {
        let pem = std::fs::read_to_string(lab.home.path().join(format!("{root}-cert.pem"))).unwrap();
        assert_eq!(
            status["clusters"][index]["trust"]["roots"],
            json!([in_short(&lab, &pem)])
        );
    }

    // The way into a network is taken away, and then a cluster's only istiod.
    must(in_system(
        &lab,
        2,
        &["delete", "service", "istio-eastwestgateway"],
    ));
    let status = settled(&lab, &["gateway-missing", "roots-disjoint"]);
    assert_eq!(status["clusters"][1]["gateways"], json!([]), "{status:#}");
    must(in_system(
        &lab,
        2,
        &["scale", "deployment/istiod", "--replicas=0"],
    ));
    let status = settled(&lab, &["gateway-missing", "istiod-not-ready", "roots-disjoint"]);
    assert_eq!(status["clusters"][1]["controlPlanes"][0]["ready"], false);
    assert_eq!(status["clusters"][1]["controlPlanes"][0]["replicas"], json!([]));
    assert_eq!(state(&status, 2, 1), "unknown", "nobody is there to ask");
    assert_eq!(state(&status, 1, 2), "synced");
}

/// The report, when its errors are these; its exit code goes with them at any time.
#[track_caller]
fn settled(lab: &Lab, errors: &[&str]) -> Value {
    let expected: BTreeSet<String> = errors.iter().map(|code| (*code).to_owned()).collect();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let output = run(&mut lab.stolos(&["status", "--context", "broken-*", "-o", "json"]));
        let status = report(&output);
        let found: BTreeSet<String> = findings(&status, "error").into_iter().collect();
        // A replica that is on its way out may be gone when it is asked.
        let complete = status["complete"] == true;
        let code = match (found.is_empty(), complete) {
            (false, _) => 3,
            (true, true) => 0,
            (true, false) => 4,
        };
        assert_eq!(output.status.code(), Some(code), "{status:#}");
        if complete && found == expected && (!found.is_empty() || status["healthy"] == true) {
            return status;
        }
        assert!(
            Instant::now() < deadline,
            "{errors:?} awaited, and there is {status:#}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[track_caller]
fn state(status: &Value, reader: u8, read: u8) -> String {
    let link = Fleet::link(status, &format!("cluster{reader}"), &format!("cluster{read}"));
    link["state"].as_str().expect("a text").to_owned()
}

fn in_system(lab: &Lab, number: u8, arguments: &[&str]) -> Command {
    lab.kubectl(
        &lab.context(number),
        &[&["-n", "istio-system"], arguments].concat(),
    )
}
