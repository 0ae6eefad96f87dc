//! The lab itself: what it promises to whoever uses it.

use std::process::Command;
use std::time::Instant;

use crate::harness::{self, Home, Lab, must, run};

#[test]
fn a_lab_comes_up_is_used_from_both_sides_and_leaves_nothing() {
    let lab = Lab::up("live", 2);
    let mode = {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(&lab.kubeconfig).unwrap().permissions().mode()
    };
    assert_eq!(mode & 0o777, 0o600);
    for number in [1, 2] {
        let context = lab.context(number);
        let nodes = must(lab.kubectl(&context, &["get", "nodes", "-o", "name"]));
        assert_eq!(nodes.trim(), format!("node/{context}-node"));
        let inside = must(lab.exec(&["kubectl", "--context", &context, "get", "nodes", "-o", "name"]));
        assert_eq!(inside, nodes);
    }
    let peer = must(lab.exec(&[
        "kubectl",
        "--server",
        "https://10.240.2.1:6443",
        "--context",
        "live-2",
        "version",
        "-o",
        "json",
    ]));
    assert!(peer.contains("serverVersion"), "{peer}");

    let script = "eval \"$(stolos lab env --name live)\"; kubectl config current-context; istioctl version --remote=false";
    let mut shell = lab.home.command("sh");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_stolos"));
    let folder = program.parent().unwrap().to_str().unwrap();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    shell.args(["-c", script]).env("PATH", path);
    let said = must(shell);
    assert!(said.starts_with("live-1\nclient version: 1."), "{said}");

    let begun = Instant::now();
    must(lab.home.stolos(&["lab", "up", "--name", "live"]));
    assert!(begun.elapsed().as_millis() < 1000, "{:?}", begun.elapsed());
    let other = run(&mut lab
        .home
        .stolos(&["lab", "up", "--name", "live", "--clusters", "3"]));
    assert_eq!(other.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&other.stderr).contains("hint: "));

    assert_eq!(run(&mut lab.exec(&["sh", "-c", "exit 7"])).status.code(), Some(7));

    let namespace = inner_processes(&lab);
    assert!(!processes_in(&namespace).is_empty());
    must(lab.home.stolos(&["lab", "down", "--name", "live"]));
    assert_eq!(processes_in(&namespace), Vec::<String>::new());
    assert!(!lab.home.path().join(".local/state/stolos").exists());
    assert!(
        !std::fs::read_to_string("/proc/mounts")
            .unwrap()
            .contains(lab.home.path().to_str().unwrap())
    );
    must(lab.home.stolos(&["lab", "down", "--name", "live"]));
}

#[test]
fn killing_the_supervisor_ends_everything_and_the_next_up_starts_again() {
    let lab = Lab::up("killed", 1);
    let namespace = inner_processes(&lab);
    let supervisor = lab.row()["supervisor"].to_string();
    must(Command::new("kill").args(["-9", &supervisor]));
    let begun = Instant::now();
    harness::eventually("no process is left", || {
        processes_in(&namespace).is_empty().then_some(())
    });
    // Much less than a second, but others use the machine as well.
    assert!(begun.elapsed().as_millis() < 2000, "{:?}", begun.elapsed());
    assert_eq!(lab.row()["state"], "dead");
    let env = run(&mut lab.home.stolos(&["lab", "env", "--name", "killed"]));
    assert_eq!(env.status.code(), Some(1));
    must(lab.home.stolos(&["lab", "up", "--name", "killed"]));
    assert_eq!(lab.row()["state"], "running");
}

#[test]
fn a_stopped_cluster_refuses_and_comes_back_where_it_was() {
    let lab = Lab::up("off", 2);
    must(lab.kubectl("off-1", &["create", "namespace", "kept"]));
    let server = lab.row()["clusters"][0]["server"].clone();
    must(lab.home.stolos(&["lab", "stop", "off-1"]));
    assert_eq!(lab.row()["clusters"][0]["state"], "stopped");
    let refused = run(&mut lab.kubectl("off-1", &["get", "namespaces"]));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("refused"), "{said}");
    must(lab.kubectl("off-2", &["get", "namespaces"]));
    must(lab.home.stolos(&["lab", "start", "off-1"]));
    must(lab.kubectl("off-1", &["get", "namespace", "kept"]));
    assert_eq!(lab.row()["clusters"][0]["server"], server);
    let unknown = run(&mut lab.home.stolos(&["lab", "stop", "off-3"]));
    assert_eq!(unknown.status.code(), Some(1));
}

#[test]
fn control_planes_alone_issue_tokens_and_have_no_nodes() {
    let lab = Lab::up_with("alone", 2, &["--control-plane-only"]);
    let context = lab.context(2);
    assert_eq!(must(lab.kubectl(&context, &["get", "nodes", "-o", "name"])), "");
    must(lab.kubectl(&context, &["create", "namespace", "made"]));
    must(lab.kubectl(&context, &["-n", "made", "create", "serviceaccount", "reader"]));
    lab.apply(
        &context,
        r#"{"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
            "metadata": {"name": "token", "namespace": "made",
                         "annotations": {"kubernetes.io/service-account.name": "reader"}}}"#,
    );
    harness::eventually("the token is issued, with the cluster's CA", || {
        let secret = lab.object(&context, &["secret", "token", "-n", "made"])?;
        let filled = |key: &str| secret["data"][key].as_str().is_some_and(|text| !text.is_empty());
        (filled("token") && filled("ca.crt")).then_some(())
    });
    harness::eventually("a new namespace has the root certificate", || {
        lab.object(&context, &["configmap", "kube-root-ca.crt", "-n", "made"])
    });
    must(lab.kubectl(&context, &["delete", "namespace", "made"]));
    must(lab.home.stolos(&["lab", "stop", &context]));
    must(lab.home.stolos(&["lab", "start", &context]));
    must(
        lab.home
            .stolos(&["lab", "up", "--name", "alone", "--control-plane-only"]),
    );
    let whole = run(&mut lab.home.stolos(&["lab", "up", "--name", "alone"]));
    assert_eq!(whole.status.code(), Some(1));
    let said = String::from_utf8_lossy(&whole.stderr);
    assert!(said.contains("control planes only"), "{said}");
}

#[test]
fn what_is_not_there_is_said() {
    let home = Home::new();
    let env = run(&mut home.stolos(&["lab", "env"]));
    assert_eq!(env.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&env.stderr),
        "error: there is no lab named lab\nhint: stolos lab up --name lab\n"
    );
    let mut bare = home.stolos(&["lab", "up"]);
    let up = run(bare.env("STOLOS_LAB_ASSETS", "/nonexistent"));
    assert_eq!(up.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&up.stderr).contains("STOLOS_LAB_ASSETS names /nonexistent"));
    assert!(
        !home.path().join(".local/state/stolos").exists(),
        "a failure leaves nothing"
    );
}

/// The lab's process namespace, as `/proc` names it.
fn inner_processes(lab: &Lab) -> String {
    let supervisor = lab.row()["supervisor"].to_string();
    let link = std::fs::read_link(format!("/proc/{supervisor}/ns/pid_for_children"))
        .expect("the supervisor's namespaces can be read");
    link.to_str().expect("the link is text").to_owned()
}

/// The command lines of the processes that run in a process namespace. One that ended, and that
/// its new parent did not look at yet, has none.
fn processes_in(namespace: &str) -> Vec<String> {
    std::fs::read_dir("/proc")
        .expect("/proc can be read")
        .flatten()
        .filter(|entry| {
            std::fs::read_link(entry.path().join("ns/pid")).is_ok_and(|link| link.to_str() == Some(namespace))
        })
        .map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default())
        .filter(|line| !line.is_empty())
        .collect()
}
