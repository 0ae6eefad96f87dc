//! Every command of the tool, sound and failing, run as loudly as it can, and what it said.

use serde_json::json;

use crate::canaries;
use crate::harness::{Lab, eventually, must, run};
use crate::known::Known;

/// Everything that was said, to be searched when all secrets are known.
#[derive(Default)]
pub struct Said(pub Vec<(String, Vec<u8>)>);

impl Said {
    /// Runs stolos as loudly as it can, and gives its exit code.
    pub fn run(&mut self, lab: &Lab, arguments: &[&str]) -> Option<i32> {
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

    /// The same, where the exit code is known.
    #[track_caller]
    pub fn must(&mut self, lab: &Lab, arguments: &[&str], code: i32) {
        let is = self.run(lab, arguments);
        let said = self
            .0
            .last()
            .map(|(_, text)| String::from_utf8_lossy(text).into_owned());
        assert_eq!(is, Some(code), "{arguments:?}: {}", said.unwrap_or_default());
    }
}

/// Each command, on the mesh as it is.
pub fn on_the_mesh(lab: &Lab, said: &mut Said) {
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
pub fn with_canaries(lab: &Lab, said: &mut Said, kubeconfig: &str) {
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

pub fn with_broken_files(lab: &Lab, said: &mut Said, known: &mut Known) {
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
pub fn refused_by_the_server(lab: &Lab, said: &mut Said) {
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
        eventually("the policy is in force", || {
            let output = run(&mut lab.kubectl(&context, &["create", "--dry-run=server", "-f", "probe.json"]));
            String::from_utf8_lossy(&output.stderr)
                .contains("ZXBlYXRzIGl0IHJlcGVhdHMg")
                .then_some(())
        });
        let code = said.run(lab, &["apply", "--yes"]);
        assert!(matches!(code, Some(4 | 5)), "the Secret is refused: {code:?}");
        must(lab.kubectl(&context, &["delete", "validatingadmissionpolicybinding", &name]));
        must(lab.kubectl(&context, &["delete", "validatingadmissionpolicy", &name]));
        eventually("the policy is gone", || {
            let output = run(&mut lab.kubectl(&context, &["create", "--dry-run=server", "-f", "probe.json"]));
            output.status.success().then_some(())
        });
    }
    said.must(lab, &["apply", "--yes"], 0);
}

pub fn help(lab: &Lab, said: &mut Said) {
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
