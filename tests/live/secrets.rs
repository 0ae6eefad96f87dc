//! Nothing secret is in what the tool says, logs, journals, caches, hands to processes, or leaves on
//! objects where it does not belong; at any verbosity, with secrets that are known.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::canaries;
use crate::fleet::Fleet;
use crate::foreign::TOKEN_SECRET;
use crate::foreign_facts::{decoded, object};
use crate::harness::{Lab, must, run};
use crate::known::{Known, Watch};

const PASSPHRASE: &str = "canary-passphrase-4f1c9b7e with a space";
const WRONG: &str = "canary-wrong-passphrase-4f1c9b7e";

/// Everything that was said, to be searched when all secrets are known.
#[derive(Default)]
struct Said(Vec<(String, Vec<u8>)>);

impl Said {
    /// Runs stolos as loudly as it can, and gives its exit code.
    fn run(&mut self, lab: &Lab, arguments: &[&str]) -> Option<i32> {
        let mut command = lab.stolos(arguments);
        command
            .arg("-vvv")
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full");
        let output = run(&mut command);
        let code = output.status.code();
        let text = [output.stdout, output.stderr].concat();
        assert!(
            code.is_some_and(|code| code < 70 && code != 2),
            "{arguments:?}: {code:?}: {}",
            String::from_utf8_lossy(&text)
        );
        self.0.push((format!("stolos {}", arguments.join(" ")), text));
        code
    }

    #[track_caller]
    fn must(&mut self, lab: &Lab, arguments: &[&str], code: i32) {
        let is = self.run(lab, arguments);
        let said = self
            .0
            .last()
            .map(|(_, text)| String::from_utf8_lossy(text).into_owned());
        assert_eq!(is, Some(code), "{arguments:?}: {}", said.unwrap_or_default());
    }
}

#[test]
fn nothing_secret_is_shown_or_left_lying_about() {
    let fleet = Fleet::init("quiet", 2);
    let lab = &fleet.lab;
    let mut known = Known::default();
    let mut said = Said::default();
    lab.home.write("passphrase", format!("{PASSPHRASE}\n"));
    lab.home.write("wrong", format!("{WRONG}\n"));
    known.add("the passphrase", PASSPHRASE);
    known.add("the wrong passphrase", WRONG);

    let watch = Watch::begin();
    said.must(lab, &["trust", "init", "--passphrase-file", "passphrase"], 0);
    said.must(lab, &["apply", "--yes"], 1);
    said.must(lab, &["apply", "--yes", "--passphrase-file", "wrong"], 1);
    said.must(lab, &["apply", "--yes", "--passphrase-file", "passphrase"], 0);
    know_the_mesh(lab, &mut known);
    let kubeconfig = canaries::kubeconfig(lab, &mut known);

    on_the_mesh(lab, &mut said);
    with_canaries(lab, &mut said, &kubeconfig);
    with_broken_files(lab, &mut said, &mut known);
    refused_by_the_server(lab, &mut said);
    help(lab, &mut said);
    // There is a new intermediate by now.
    know_the_mesh(lab, &mut known);
    let command_lines = watch.end();

    assert!(said.0.len() > 100, "{} commands were run", said.0.len());
    let shown: Vec<String> = said
        .0
        .iter()
        .filter(|(_, text)| !known.within(text).is_empty())
        .map(|(what, text)| {
            format!(
                "{what}: {:?}\n{}",
                known.within(text),
                String::from_utf8_lossy(text)
            )
        })
        .collect();
    assert!(
        shown.is_empty(),
        "{} commands show secrets:\n{}",
        shown.len(),
        shown.join("\n\n")
    );
    let ours = |line: &&Vec<u8>| line.windows(5).any(|part| part == b"apply");
    assert!(command_lines.iter().any(|line| ours(&line)), "apply was seen");
    for line in &command_lines {
        known.assert_absent("a process's arguments", line);
    }
    on_this_machine(lab, &known);
    in_the_clusters(lab, &known);
}

/// The secrets of the lab, of the root, and of what was applied.
fn know_the_mesh(lab: &Lab, known: &mut Known) {
    let kubeconfig = std::fs::read_to_string(&lab.kubeconfig).expect("the lab has one");
    let kubeconfig: Value = stolos::yaml::from_str(&kubeconfig).expect("a kubeconfig is YAML");
    for user in kubeconfig["users"].as_array().expect("users") {
        known.add_key("a client's key", &decoded(&user["user"]["client-key-data"]));
    }
    let root = lab
        .home
        .path()
        .join(".local/share/stolos/trust/quiet/root-key.pem");
    let root = std::fs::read_to_string(root).expect("the root was made");
    assert!(root.contains("ENCRYPTED"), "it has a passphrase");
    known.add_key("the root's key", &root);
    for number in [1, 2] {
        let secret = |name: &str| object(lab, number, &["-n", "istio-system", "secret", name]);
        let key = decoded(&secret("cacerts")["data"]["ca-key.pem"]);
        known.add_key(&format!("the intermediate's key of cluster {number}"), &key);
        let token = decoded(&secret(TOKEN_SECRET)["data"]["token"]);
        known.add_token(&format!("the reader's token of cluster {number}"), &token);
    }
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "bearer", "namespace": "default"}});
    lab.apply(&lab.context(1), &account.to_string());
}

/// Each command, on the mesh as it is.
fn on_the_mesh(lab: &Lab, said: &mut Said) {
    for command in [
        &["contexts"][..],
        &["contexts", "--probe"],
        &["clusters"],
        &["plan"],
        &["status"],
        &["status", "--context", "quiet-*"],
        &["link", "list"],
        &["trust", "show"],
        &["trust", "show", "--context", "quiet-*"],
        &["apply", "--yes"],
        &["apply", "--dry-run"],
        &["link", "sync", "--yes"],
        &["trust", "issue", "--yes"],
        &["mesh", "install", "--yes"],
    ] {
        for format in ["table", "wide", "json", "yaml"] {
            said.must(lab, &[command, &["-o", format]].concat(), 0);
        }
    }
    said.must(lab, &["leave", "quiet-2", "--dry-run"], 0);
    said.must(lab, &["lab", "list"], 0);
    said.must(lab, &["lab", "env", "--name", "quiet"], 0);
    // A new intermediate has to be signed, and the passphrase is not there.
    must(lab.kubectl(
        &lab.context(2),
        &["-n", "istio-system", "delete", "secret", "cacerts"],
    ));
    said.run(lab, &["plan", "-o", "json"]);
    said.run(
        lab,
        &[
            "apply",
            "--yes",
            "--passphrase-file",
            "wrong",
            "--allow-disruption",
        ],
    );
    said.must(
        lab,
        &[
            "apply",
            "--yes",
            "--passphrase-file",
            "passphrase",
            "--allow-disruption",
        ],
        0,
    );
}

/// Contexts with credentials of each kind, most of which fail.
fn with_canaries(lab: &Lab, said: &mut Said, kubeconfig: &str) {
    let with = |arguments: &[&str]| -> Vec<String> {
        let more = ["--kubeconfig", kubeconfig, "--request-timeout", "3s"];
        arguments
            .iter()
            .chain(&more)
            .map(|text| (*text).to_owned())
            .collect()
    };
    let mut run = |arguments: &[&str]| {
        let arguments = with(arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        said.run(lab, &arguments)
    };
    for format in ["table", "wide", "json", "yaml"] {
        run(&["contexts", "-o", format]);
        run(&["contexts", "--probe", "-o", format]);
        for pattern in ["as-*", "at-*"] {
            run(&["status", "--context", pattern, "-o", format]);
        }
    }
    assert_eq!(
        run(&["status", "--context", "as-plugin"]),
        Some(4),
        "its token is taken"
    );
    for pattern in ["as-*", "at-*"] {
        run(&["link", "list", "--context", pattern]);
        run(&["trust", "show", "--context", pattern]);
        let file = format!("{}.yaml", &pattern[..2]);
        let init = ["init", "--yes", "--name", "canaries", "--fleet", &file];
        run(&[&init[..], &["--context", pattern, "--model", "multi-primary"]].concat());
        run(&[&init[..], &["--context", pattern, "--from-mesh"]].concat());
    }
    let list = lab.stolos(&["contexts", "-o", "json", "--kubeconfig", kubeconfig]);
    let list = crate::harness::json(list);
    for context in list["contexts"].as_array().expect("a list") {
        let context = context["name"].as_str().expect("a text");
        if !context.starts_with("quiet-") {
            run(&["join", context, "--dry-run"]);
            run(&["status", "--context", context]);
        }
    }
    for who in [&["--as", "nobody"][..], &["--as", "nobody", "--as-group", "none"]] {
        for command in [
            &["status"][..],
            &["plan"],
            &["apply", "--yes"],
            &["trust", "show"],
        ] {
            said.run(lab, &[command, who].concat());
        }
    }
}

fn with_broken_files(lab: &Lab, said: &mut Said, known: &mut Known) {
    for text in canaries::broken_kubeconfigs(known) {
        lab.home.write("broken.kubeconfig", &text);
        for command in [
            &["contexts"][..],
            &["contexts", "--probe", "-o", "json"],
            &["status", "--context", "a"],
            &["plan"],
            &["join", "a"],
        ] {
            said.run(lab, &[command, &["--kubeconfig", "broken.kubeconfig"]].concat());
        }
    }
    for text in canaries::broken_fleets(known) {
        lab.home.write("broken.yaml", &text);
        for command in [
            &["clusters"][..],
            &["plan"],
            &["status"],
            &["apply", "--yes"],
            &["leave", "a"],
        ] {
            let code = said.run(lab, &[command, &["--fleet", "broken.yaml"]].concat());
            assert_eq!(code, Some(1), "{text}");
        }
    }
    // A key where a passphrase is to be, and the other way round.
    lab.home.write("empty", "\n");
    said.run(lab, &["apply", "--yes", "--passphrase-file", "empty"]);
}

/// A server that repeats what it was sent, as admission policies and webhooks may.
fn refused_by_the_server(lab: &Lab, said: &mut Said) {
    let context = lab.context(2);
    for (number, reason) in ["Invalid", "Forbidden", "RequestEntityTooLarge"]
        .into_iter()
        .enumerate()
    {
        let name = format!("talkative-{number}");
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]}]},
                "validations": [{"expression": "!object.metadata.name.startsWith('istio-remote-secret-')",
                    "reason": reason,
                    // The end of what was sent, which is where a kubeconfig has its token.
                    "messageExpression": "'refused: ' + object.data.map(key, object.data[key]\
                        .substring(object.data[key].size() - 240)).join(' ')"}],
            },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        });
        let secret = [
            "-n",
            "istio-system",
            "delete",
            "secret",
            "istio-remote-secret-quiet-1",
            "--ignore-not-found",
        ];
        must(lab.kubectl(&context, &secret));
        lab.apply(&context, &policy.to_string());
        lab.apply(&context, &binding.to_string());
        let probe = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"it": "it repeats ".repeat(30)},
            "metadata": {"name": "istio-remote-secret-probe", "namespace": "default"}});
        lab.home.write("probe.json", probe.to_string());
        crate::harness::eventually("the policy is in force", || {
            let output = run(&mut lab.kubectl(&context, &["create", "--dry-run=server", "-f", "probe.json"]));
            String::from_utf8_lossy(&output.stderr)
                .contains("ZXBlYXRzIGl0IHJlcGVhdHMg")
                .then_some(())
        });
        let code = said.run(lab, &["apply", "--yes"]);
        assert!(matches!(code, Some(4 | 5)), "the Secret is refused: {code:?}");
        must(lab.kubectl(&context, &["delete", "validatingadmissionpolicybinding", &name]));
        must(lab.kubectl(&context, &["delete", "validatingadmissionpolicy", &name]));
        crate::harness::eventually("the policy is gone", || {
            let output = run(&mut lab.kubectl(&context, &["create", "--dry-run=server", "-f", "probe.json"]));
            output.status.success().then_some(())
        });
    }
    said.must(lab, &["apply", "--yes"], 0);
}

fn help(lab: &Lab, said: &mut Said) {
    for command in [
        "",
        "contexts",
        "init",
        "join",
        "leave",
        "clusters",
        "plan",
        "apply",
        "status",
        "explain",
        "trust init",
        "trust issue",
        "trust show",
        "mesh install",
        "link sync",
        "link list",
        "lab up",
        "lab list",
        "lab env",
    ] {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        arguments.push("--help");
        said.must(lab, &arguments, 0);
    }
}

/// Journals, caches and the fleet file hold nothing; what has to hold a key is its owner's alone.
fn on_this_machine(lab: &Lab, known: &Known) {
    let home = lab.home.path();
    let mode = |path: &Path| {
        let metadata = std::fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    let journal = home.join(".local/state/stolos/journal");
    assert!(known.assert_absent_below(&journal) >= 5, "each run has one");
    for entry in std::fs::read_dir(&journal).expect("runs were made") {
        assert_eq!(mode(&entry.expect("it can be listed").path()), 0o600);
    }
    assert!(known.assert_absent_below(&home.join(".cache/stolos")) > 0);
    let read = |path: &Path| std::fs::read(path).expect("it is there");
    known.assert_absent("the fleet file", read(&home.join("stolos.yaml")));
    let trust = home.join(".local/share/stolos/trust");
    assert_eq!((mode(&trust), mode(&trust.join("quiet"))), (0o700, 0o700));
    assert_eq!(mode(&trust.join("quiet/root-key.pem")), 0o600);
    known.assert_absent("the root's certificate", read(&trust.join("quiet/root-cert.pem")));
}

/// Of the objects, only Secrets hold secrets, only in their data, and only those that have to.
fn in_the_clusters(lab: &Lab, known: &Known) {
    for number in [1, 2] {
        let kinds = "secrets,configmaps,serviceaccounts,deployments,services,pods,events,\
                     mutatingwebhookconfigurations,validatingwebhookconfigurations";
        let all = object(lab, number, &[kinds, "-A", "--show-managed-fields"]);
        let items = all["items"].as_array().expect("a list");
        assert!(items.len() > 30, "{} objects", items.len());
        for item in items {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            if item["kind"] != "Secret" {
                known.assert_absent(name, item.to_string());
                continue;
            }
            known.assert_absent(name, item["metadata"].to_string());
            let found = known.within(item["data"].to_string().as_bytes());
            for what in found {
                let other = 3 - number;
                let allowed = match name {
                    "cacerts" => what.contains(&format!("the intermediate's key of cluster {number}")),
                    TOKEN_SECRET => what.contains(&format!("token of cluster {number}")),
                    _ => {
                        name == format!("istio-remote-secret-quiet-{other}")
                            && what.contains(&format!("token of cluster {other}"))
                    }
                };
                assert!(allowed, "{what} is in the Secret {name} of cluster {number}");
            }
        }
    }
}
