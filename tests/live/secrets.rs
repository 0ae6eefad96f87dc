//! Nothing secret is in what the tool says, logs, journals, caches, hands to processes, or leaves on
//! objects where it does not belong; at any verbosity, with secrets that are known.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::canaries;
use crate::fleet::Fleet;
use crate::foreign::TOKEN_SECRET;
use crate::foreign_facts::{decoded, object};
use crate::harness::Lab;
use crate::known::{Known, Watch};
use crate::said::{Said, help, on_the_mesh, refused_by_the_server, with_broken_files, with_canaries};

const PASSPHRASE: &str = "canary-passphrase-4f1c9b7e with a space";
const WRONG: &str = "canary-wrong-passphrase-4f1c9b7e";

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
    // A credential plugin's arguments are the kubeconfig's: they are not looked at below.
    let command_lines = watch.end();
    with_canaries(lab, &mut said, &kubeconfig);
    with_broken_files(lab, &mut said, &mut known);
    refused_by_the_server(lab, &mut said);
    help(lab, &mut said);
    // There is a new intermediate by now.
    know_the_mesh(lab, &mut known);

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
