//! A plan that somebody else applies: with `kubectl`, and with secrets that come from a store.

use serde_json::Value;
use stolos::yaml;

use crate::by_hand;
use crate::fleet::Fleet;
use crate::harness::{Lab, eventually, must, run};

/// What `plan -o manifests` prints for one cluster: what a store's secrets are made of, and all else.
fn manifests(lab: &Lab, cluster: &str) -> (Vec<Value>, Vec<Value>) {
    let plan = [
        "plan",
        "--cluster",
        cluster,
        "-o",
        "manifests",
        "--secret-store",
        "vault",
    ];
    let text = must(lab.stolos(&plan));
    let documents = yaml::documents(&text).expect("manifests are YAML");
    let is_reference = |document: &Value| document["kind"] == "ExternalSecret";
    documents.into_iter().partition(is_reference)
}

/// Does what the External Secrets Operator does of a reference, with what the store holds.
fn provide(lab: &Lab, context: &str, reference: &Value, held: &Value) {
    let spec = &reference["spec"];
    let mut secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "stringData": {},
        "metadata": spec["target"]["template"]["metadata"].clone(),
    });
    secret["metadata"]["name"] = spec["target"]["name"].clone();
    secret["metadata"]["namespace"] = reference["metadata"]["namespace"].clone();
    for entry in spec["data"].as_array().expect("data") {
        let (key, property) = (&entry["secretKey"], &entry["remoteRef"]["property"]);
        let property = property.as_str().expect("a property");
        secret["stringData"][key.as_str().expect("a key")] = held[property].clone();
    }
    lab.apply(context, &secret.to_string());
}

/// What a store holds as a cluster's intermediate, by whoever keeps the root.
fn intermediate(lab: &Lab, cluster: &str) -> Value {
    let files = by_hand::cacerts(lab, "root", cluster);
    let files = files
        .iter()
        .filter_map(|argument| argument.strip_prefix("--from-file=")?.split_once('='));
    files
        .map(|(key, file)| {
            let text = std::fs::read_to_string(lab.home.path().join(file)).expect("it was just made");
            (key.to_owned(), Value::from(text))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What a store holds of a link: what istioctl makes of the account that the manifests brought.
fn kubeconfig(lab: &Lab, read: u8) -> Value {
    let clusters = lab.row()["clusters"].clone();
    let server = clusters[usize::from(read) - 1]["innerServer"]
        .as_str()
        .expect("an address")
        .to_owned();
    let name = format!("--name={}", lab.context(read));
    let arguments = [
        "create-remote-secret",
        &name,
        "--server",
        &server,
        "-i",
        "istio-system",
    ];
    let secret = must(lab.istioctl(&lab.context(read), &arguments));
    yaml::documents(&secret).expect("istioctl prints YAML")[0]["stringData"].clone()
}

#[test]
fn what_is_applied_by_hand_waits_for_what_a_store_holds() {
    let fleet = Fleet::init("store", 2);
    let lab = &fleet.lab;
    by_hand::make_root(lab, "root", "Root CA");
    let file = std::fs::read_to_string(lab.home.path().join("stolos.yaml")).expect("the fleet file");
    lab.home.write(
        "stolos.yaml",
        format!("{}\n  trust: {{root: external}}\n", file.trim_end()),
    );
    let names = [1, 2].map(|number| lab.context(number));
    let given = [1, 2].map(|number| manifests(lab, &lab.context(number)));
    for (context, (_, applied)) in names.iter().zip(&given) {
        let documents = applied.iter().map(|document| format!("---\n{document}\n"));
        lab.home.write("manifests.yaml", documents.collect::<String>());
        let apply = [
            "apply",
            "--server-side",
            "--field-manager=stolos",
            "-f",
            "manifests.yaml",
        ];
        // What is defined in the same stream is known when the API server has taken it in.
        eventually("all manifests are applied", || {
            run(&mut lab.kubectl(context, &apply))
                .status
                .success()
                .then_some(())
        });
    }
    for (number, (references, _)) in (1..=2).zip(&given) {
        let context = lab.context(number);
        let istiod = fleet.object(number, &["-n", "istio-system", "deployment", "istiod"]);
        assert_eq!(istiod["status"]["availableReplicas"], Value::Null, "it waits");
        for reference in references {
            let held = match reference["metadata"]["name"].as_str() {
                Some("cacerts") => intermediate(lab, &context),
                _ => kubeconfig(lab, 3 - number),
            };
            provide(lab, &context, reference, &held);
        }
        assert_eq!(references.len(), 2, "{references:?}");
    }
    for context in &names {
        let istiod = [
            "-n",
            "istio-system",
            "rollout",
            "status",
            "deployment",
            "istiod",
            "--timeout=60s",
        ];
        must(lab.kubectl(context, &istiod));
        let own = lab.object(context, &["-n", "istio-system", "secret", "istio-ca-secret"]);
        assert_eq!(own, None, "it never signed for itself");
    }
    eventually("a healthy mesh", || {
        (fleet.status()["healthy"] == true).then_some(())
    });
    let plan = run(&mut lab.stolos(&["plan", "--exit-code", "-o", "diff"]));
    assert_eq!(
        plan.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&plan.stdout)
    );
}
