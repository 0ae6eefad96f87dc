//! `stolos contexts`

use crate::api_server::{ApiServer, kubeconfig, nobody};
use crate::harness::{Home, Transcript};

#[test]
fn contexts_are_listed_as_kubectl_would_read_them() {
    let home = Home::new();
    home.write(
        "a",
        "current-context: prod-west\ncontexts:\n- {name: prod-east, context: {cluster: e, user: u, namespace: apps}}\n\
         clusters:\n- {name: e, cluster: {server: 'https://user:hunter2@e.example:6443'}}\n",
    );
    home.write(
        "b",
        "current-context: prod-east\ncontexts:\n- {name: prod-east, context: {cluster: other, user: other}}\n\
         - {name: prod-west, context: {cluster: w, user: u}}\n- {name: 'arn:aws:eks:us-east-1:1:cluster/x', context: {cluster: w, user: u}}\n\
         clusters:\n- {name: w, cluster: {server: 'https://w.example'}}\n\
         users:\n- {name: u, user: {exec: {command: ./plugin, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}}}\n",
    );
    // The plugin must not be run.
    home.write("plugin", "#!/bin/sh\ntouch ran\n");
    let list = format!(
        "{}::{}:{}",
        home.path("missing").display(),
        home.path("a").display(),
        home.path("b").display()
    );
    let mut transcript = Transcript::new(&home);
    transcript
        .set("KUBECONFIG", list)
        .run(&["contexts"])
        .run(&[
            "contexts",
            "-o",
            "wide",
            "--context",
            "prod-*",
            "--exclude",
            "*-west",
        ])
        .run(&["contexts", "-o", "json"])
        .run(&["contexts", "--context", "prod-esat"])
        .run(&["contexts", "--kubeconfig", "nowhere"]);
    assert!(!transcript.text().contains("hunter2"));
    assert!(!home.path("ran").exists());
    transcript.assert("contexts");
}

#[test]
fn a_kubeconfig_that_is_wrong_is_named_by_line_and_never_quoted() {
    let home = Home::new();
    home.write(
        ".kube/config",
        "users:\n- name: a\n  user:\n    token:\n    - hunter2\n",
    );
    let mut transcript = Transcript::new(&home);
    transcript.run(&["contexts"]);
    home.write(".kube/config", "users: [\n  token: hunter2\n");
    transcript.run(&["contexts"]);
    std::fs::remove_file(home.path(".kube/config")).unwrap();
    transcript.run(&["contexts"]);
    assert!(!transcript.text().contains("hunter2"));
    transcript.assert("contexts-wrong");
}

#[test]
fn probing_tells_which_cluster_answers() {
    let home = Home::new();
    let server = ApiServer::start("11111111-aaaa", &[]);
    home.write(
        ".kube/config",
        &kubeconfig(&[("east", &server.url), ("west", &nobody())]),
    );
    let mut transcript = Transcript::new(&home);
    transcript.run(&["contexts"]);
    assert!(server.requests().is_empty(), "nobody is asked without --probe");
    transcript
        .run(&["contexts", "--probe"])
        .run(&["contexts", "--probe", "--context", "east", "-o", "json"])
        .run(&["contexts", "--probe", "--context", "west"]);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.starts_with("GET "))
    );
    transcript.assert("contexts-probe");
}
