//! `stolos status` of clusters that answer, are silent, or are others than they should be.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use base64::Engine;
use serde_json::{Value, json};

use crate::api_server::{ApiServer, kubeconfig, nobody};
use crate::harness::{Home, Transcript, assert_snapshot, without_ports};

#[test]
fn a_silent_cluster_keeps_nobody_from_being_shown() {
    let home = Home::new();
    let east = ApiServer::start("11111111-aaaa", &[]);
    for (command, name) in [
        (&["status", "--context", "*"][..], "status-early"),
        (&["contexts", "--probe"], "contexts-early"),
    ] {
        let west = ApiServer::start_silent("22222222-bbbb", &[]);
        home.write(
            ".kube/config",
            &kubeconfig(&[("east", &east.url), ("west", &west.url), ("north", &nobody())]),
        );
        // Far more than it takes. West answers once the others are on the screen, and not before.
        let mut child = home
            .command(&[command, &["--request-timeout", "1m"]].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut shown = String::new();
        stdout.read_line(&mut shown).unwrap();
        // On a busy machine east may come after the quiet moment that follows north.
        let mut rows = [String::new(), String::new()];
        for row in &mut rows {
            stdout.read_line(row).unwrap();
        }
        rows.sort();
        shown.extend(rows);
        shown.push_str("--- west answers now ---\n");
        west.speak();
        stdout.read_to_string(&mut shown).unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(4));
        let awaited = said.lines().rfind(|line| line.starts_with("waiting for "));
        assert!(
            awaited.is_some_and(|line| line.starts_with("waiting for west: at most ")),
            "{said}"
        );
        assert_snapshot(name, &without_ports(&shown));
    }
}

#[test]
fn another_cluster_than_the_pinned_one_is_not_spoken_of() {
    let home = Home::new();
    let secret = remote_secret("west", "hunter2");
    let east = ApiServer::start("11111111-aaaa", &[("/api/v1/secrets", json!([secret]))]);
    home.write(".kube/config", &kubeconfig(&[("east", &east.url)]));
    home.write(
        "stolos.yaml",
        "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\n\
         spec: {clusters: [{name: east, network: net-east, uid: 99999999-zzzz}]}\n",
    );
    let mut transcript = Transcript::new(&home);
    transcript
        .run(&["status"])
        .run(&["trust", "show"])
        .run(&["link", "list", "-o", "json"])
        .assert("status-another-cluster");
}

/// What each command asks of a cluster: the figures that the benchmark's are made of.
#[test]
fn a_command_asks_no_more_than_it_reads() {
    let home = Home::new();
    let mut asked = String::new();
    for command in [
        &["status"][..],
        &["link", "list"],
        &["trust", "show"],
        &["contexts", "--probe"],
    ] {
        let server = ApiServer::start("11111111-aaaa", &[]);
        home.write(".kube/config", &kubeconfig(&[("east", &server.url)]));
        let output = home
            .command(&[command, &["--context", "east"]].concat())
            .output()
            .unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        let mut requests = server.requests();
        requests.sort();
        asked.push_str(&format!("{}: {} requests\n", command.join(" "), requests.len()));
        for request in requests {
            assert!(request.starts_with("GET "), "{request}");
            asked.push_str(&format!("  {request}\n"));
        }
    }
    assert_snapshot("requests", &asked);
}

#[test]
fn each_token_is_reviewed_once_by_the_cluster_that_it_is_for() {
    let home = Home::new();
    let names = ["east", "north", "west"];
    let servers = names.map(|name| {
        let peers = names.iter().filter(|peer| **peer != name);
        let secrets: Vec<Value> = peers
            .map(|peer| remote_secret(peer, &format!("token-of-{peer}")))
            .collect();
        ApiServer::start(
            name,
            &[
                ("/api/v1/secrets", json!(secrets)),
                ("/apis/apps/v1/deployments", json!([istiod(name)])),
            ],
        )
    });
    // The contexts are not what the clusters call themselves.
    let contexts: Vec<(&str, &str)> = ["first", "second", "third"]
        .into_iter()
        .zip(servers.iter().map(|server| server.url.as_str()))
        .collect();
    home.write(".kube/config", &kubeconfig(&contexts));
    let output = home
        .command(&["link", "list", "--context", "*", "-o", "json"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("token-of"), "{said}");
    let links: Value = serde_json::from_str(&said).unwrap();
    let links = links["links"].as_array().unwrap();
    assert_eq!(links.len(), 6, "{said}");
    // The server's answer says of none that it is accepted.
    assert!(links.iter().all(|link| link["state"] == "rejected"), "{said}");
    for server in &servers {
        let reviews = server.requests();
        let reviews = reviews.iter().filter(|request| request.starts_with("POST "));
        assert_eq!(reviews.count(), 1);
    }
}

/// A control plane that goes by a cluster ID.
fn istiod(cluster: &str) -> Value {
    let container = json!({"name": "discovery", "env": [{"name": "CLUSTER_ID", "value": cluster}]});
    json!({
        "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}},
        "spec": {"template": {"spec": {"containers": [container]}}},
    })
}

/// A remote secret for a cluster, as istioctl makes it.
fn remote_secret(cluster: &str, token: &str) -> Value {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {cluster}\n\
         contexts: [{{name: {cluster}, context: {{cluster: {cluster}, user: {cluster}}}}}]\n\
         clusters: [{{name: {cluster}, cluster: {{server: 'https://192.0.2.1:6443'}}}}]\n\
         users: [{{name: {cluster}, user: {{token: {token}}}}}]\n"
    );
    let data = base64::engine::general_purpose::STANDARD.encode(kubeconfig);
    json!({
        "metadata": {
            "name": format!("istio-remote-secret-{cluster}"),
            "namespace": "istio-system",
            "labels": {"istio/multiCluster": "true"},
        },
        "data": {(cluster): data},
    })
}
