//! Clusters that are gone, or there and silent: the others are done, the answer says what is
//! missing, and nobody waits longer than the deadline.

use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fleet::{Fleet, findings, report};
use crate::harness::must;

#[test]
fn a_cluster_that_is_switched_off_blocks_its_own_steps_and_no_others() {
    let fleet = Fleet::applied("faults", 3);
    let (first, third) = (fleet.lab.context(1), fleet.lab.context(3));
    must(fleet.lab.home.stolos(&["lab", "stop", &third]));
    // Something to do in the others: a link of theirs, and drift.
    must(fleet.lab.kubectl(
        &first,
        &[
            "-n",
            "istio-system",
            "delete",
            "secret",
            "istio-remote-secret-faults-2",
        ],
    ));
    must(fleet.lab.kubectl(
        &first,
        &["-n", "istio-system", "delete", "service", "istio-eastwestgateway"],
    ));

    let begun = Instant::now();
    let status = fleet.stolos(&["status", "-o", "json"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let document = report(&status);
    assert_eq!(
        status.status.code(),
        Some(3),
        "an error of a cluster that was read: {document:#}"
    );
    assert_eq!(document["complete"], false);
    assert_eq!(document["errors"][0]["cluster"], "faults-3");
    assert_eq!(document["errors"][0]["class"], "tcp");
    assert_eq!(Fleet::link(&document, "faults-1", "faults-2")["state"], "missing");
    assert_eq!(Fleet::link(&document, "faults-2", "faults-1")["state"], "synced");

    let plan = fleet.stolos(&["plan", "-o", "json"]);
    assert_eq!(plan.status.code(), Some(4));
    let document = report(&plan);
    let clusters = |list: &str| -> Vec<&str> {
        let entries = document[list].as_array().expect("a list");
        entries
            .iter()
            .filter_map(|entry| entry["cluster"].as_str())
            .collect()
    };
    assert!(
        clusters("steps").iter().all(|cluster| *cluster != "faults-3"),
        "{document:#}"
    );
    assert!(
        clusters("blocked").iter().all(|cluster| *cluster == "faults-3"),
        "{document:#}"
    );

    let begun = Instant::now();
    let applied = fleet.stolos(&["apply", "--yes"]);
    assert_eq!(applied.status.code(), Some(4), "{applied:?}");
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let document = fleet.status();
    assert_eq!(
        Fleet::link(&document, "faults-1", "faults-2")["state"],
        "synced",
        "{document:#}"
    );
    assert_eq!(
        fleet.stolos(&["status"]).status.code(),
        Some(4),
        "only the dead cluster is left: {document:#}"
    );

    // Its links go from its peers, and its entry stays until it is forgotten.
    let left = fleet.stolos(&["leave", "faults-3", "--yes"]);
    assert_eq!(left.status.code(), Some(4), "{left:?}");
    for number in [1, 2] {
        let secret = ["-n", "istio-system", "secret", "istio-remote-secret-faults-3"];
        assert!(fleet.lab.object(&fleet.lab.context(number), &secret).is_none());
    }
    assert!(std::fs::read_to_string(&fleet.file).unwrap().contains("faults-3"));
    must(fleet.lab.stolos(&["leave", "faults-3", "--yes", "--forget"]));
    assert!(
        !std::fs::read_to_string(&fleet.file)
            .unwrap()
            .contains("name: faults-3")
    );
    fleet.assert_settled();

    a_cluster_that_accepts_and_never_answers(&fleet);
}

/// A cluster behind a listener that accepts connections and says nothing.
fn a_cluster_that_accepts_and_never_answers(fleet: &Fleet) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it has an address").port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for mut connection in listener.incoming().flatten().take(1_000) {
            let mut greeting = [0_u8; 16];
            // It reads what it is told, and is silent.
            let _ = connection.read(&mut greeting);
            held.push(connection);
        }
    });
    let text = std::fs::read_to_string(&fleet.lab.kubeconfig).expect("the lab has one");
    let mut kubeconfig: Value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) => stolos::yaml::from_str(&text).expect("a kubeconfig is YAML"),
    };
    for cluster in kubeconfig["clusters"].as_array_mut().expect("clusters") {
        if cluster["name"] == fleet.lab.context(2).as_str() {
            cluster["cluster"]["server"] = format!("https://127.0.0.1:{port}").into();
        }
    }
    let silent = fleet.lab.home.path().join("silent.json");
    std::fs::write(&silent, kubeconfig.to_string()).expect("a file can be written");
    let path = silent.to_str().expect("text");
    for command in [&["status"][..], &["plan"], &["apply", "--yes"]] {
        let mut arguments = command.to_vec();
        arguments.extend(["--kubeconfig", path, "--request-timeout", "3s", "-o", "json"]);
        let begun = Instant::now();
        let output = fleet.stolos(&arguments);
        assert_eq!(output.status.code(), Some(4), "{command:?}: {output:?}");
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{command:?}: {:?}",
            begun.elapsed()
        );
        let document = report(&output);
        assert_eq!(document["errors"][0]["cluster"], "faults-2", "{document:#}");
        assert_eq!(document["errors"][0]["class"], "timeout", "{document:#}");
        if command[0] == "status" {
            assert_eq!(
                findings(&document, "error"),
                vec!["cluster-unreachable"],
                "{document:#}"
            );
        }
    }
}
