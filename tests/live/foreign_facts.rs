//! Facts of a status report, each held against what kubectl, istioctl and openssl say.

use std::collections::BTreeSet;

use base64::Engine;
use serde_json::{Value, json};

use crate::harness::{Lab, json, must};
use crate::istiod::istiods_word;

pub fn the_cluster(lab: &Lab, number: u8, cluster: &Value) {
    let context = lab.context(number);
    let uid = must(lab.kubectl(
        &context,
        &[
            "get",
            "namespace",
            "kube-system",
            "-o",
            "jsonpath={.metadata.uid}",
        ],
    ));
    let version = json(lab.kubectl(&context, &["version", "-o", "json"]));
    let server = &lab.row()["clusters"][usize::from(number) - 1]["server"];
    let namespace = object(lab, number, &["namespace", "istio-system"]);
    for (said, is) in [
        (&cluster["name"], &json!(format!("cluster{number}"))),
        (&cluster["context"], &json!(context)),
        (&cluster["server"], server),
        (&cluster["uid"], &json!(uid)),
        (&cluster["reachable"], &json!(true)),
        (&cluster["error"], &Value::Null),
        (&cluster["complete"], &json!(true)),
        (
            &cluster["kubernetes"]["version"],
            &version["serverVersion"]["gitVersion"],
        ),
        (&cluster["role"], &json!("primary")),
        (
            &cluster["network"],
            &namespace["metadata"]["labels"]["topology.istio.io/network"],
        ),
        (&cluster["inferred"], &json!(["role", "network"])),
    ] {
        assert_eq!(said, is, "{cluster:#}");
    }
}

pub fn the_control_plane(lab: &Lab, number: u8, cluster: &Value) {
    let planes = cluster["controlPlanes"].as_array().expect("a list");
    assert_eq!(planes.len(), 1, "{cluster:#}");
    let plane = &planes[0];
    let context = lab.context(number);
    let deployments = must(lab.kubectl(
        &context,
        &["get", "deployments", "-A", "-l", "app=istiod", "-o", "name"],
    ));
    assert_eq!(deployments.lines().count(), 1, "{deployments}");
    let istiod = object(lab, number, &["-n", "istio-system", "deployment", "istiod"]);
    let labels = &istiod["metadata"]["labels"];
    // Only istioctl's and the old operator's installer leave this one, and no operator runs here.
    assert_eq!(labels["install.operator.istio.io/owning-resource"], "control");
    let variables = istiod["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let id = variables
        .as_array()
        .and_then(|variables| variables.iter().find(|variable| variable["name"] == "CLUSTER_ID"))
        .expect("istiod is told its cluster's ID");
    let configuration = object(lab, number, &["-n", "istio-system", "configmap", "istio"]);
    let configuration: Value =
        stolos::yaml::from_str(configuration["data"]["mesh"].as_str().expect("a text")).expect("YAML");
    let versions = json(lab.istioctl(&context, &["version", "-o", "json"]));
    let version = &versions["meshVersion"][0]["Info"]["version"];
    assert!(version.is_string(), "{versions:#}");
    for (said, is) in [
        (&plane["revision"], &labels["istio.io/rev"]),
        (&plane["version"], version),
        (&plane["namespace"], &json!("istio-system")),
        (&plane["installedBy"], &json!("istioctl")),
        (&plane["ready"], &json!(true)),
        (&plane["clusterId"], &id["value"]),
        (&plane["meshId"], &configuration["defaultConfig"]["meshId"]),
        (&plane["trustDomain"], &configuration["trustDomain"]),
    ] {
        assert!(is != &Value::Null && said == is, "{said} and {is}: {plane:#}");
    }
    assert_eq!(istiod["status"]["readyReplicas"], 1);

    let pods = object(lab, number, &["-n", "istio-system", "pods", "-l", "app=istiod"]);
    let pods = pods["items"].as_array().expect("a list");
    assert_eq!(plane["replicas"].as_array().map(Vec::len), Some(pods.len()));
    let words = istiods_word(lab, number, "/debug/clusterz");
    for ((pod, replica), word) in pods
        .iter()
        .zip(plane["replicas"].as_array().expect("a list"))
        .zip(words)
    {
        assert_eq!(replica["pod"], pod["metadata"]["name"]);
        assert_eq!(
            (&replica["ready"], &replica["error"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(&replica["version"], version);
        let of = |list: &Value| -> BTreeSet<[String; 3]> {
            let entries = list.as_array().expect("a list");
            entries
                .iter()
                .map(|entry| {
                    ["id", "secretName", "syncStatus"]
                        .map(|key| entry[key].as_str().unwrap_or_default().to_owned())
                })
                .collect()
        };
        assert_eq!(of(&replica["clusters"]), of(&word), "{replica:#}");
    }
}

pub fn the_trust(lab: &Lab, number: u8, trust: &Value) {
    let given = object(
        lab,
        number,
        &["-n", "istio-system", "configmap", "istio-ca-root-cert"],
    );
    let given = given["data"]["root-cert.pem"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert_eq!(trust["roots"], json!([in_short(lab, &given)]), "{trust:#}");
    let secret = ["-n", "istio-system", "secret", "cacerts", "--show-managed-fields"];
    let secret = object(lab, number, &secret);
    let issuer = decoded(&secret["data"]["ca-cert.pem"]);
    assert_eq!(trust["issuers"], json!([in_short(lab, &issuer)]), "{trust:#}");
    assert_eq!(
        trust["managedBy"],
        secret["metadata"]["managedFields"][0]["manager"]
    );
}

/// A certificate in openssl's words.
pub fn in_short(lab: &Lab, pem: &str) -> Value {
    let line = |arguments: &[&str]| {
        lab.home.write("shown.pem", pem);
        let mut command = lab.home.command("openssl");
        command
            .args(["x509", "-noout", "-in", "shown.pem"])
            .args(arguments);
        let said = must(command);
        let (_, value) = said.trim().split_once('=').expect("openssl names what it says");
        value.to_owned()
    };
    let fingerprint = line(&["-fingerprint", "-sha256"]).replace(':', "").to_lowercase();
    let end = line(&["-enddate", "-dateopt", "iso_8601"]).replace(' ', "T");
    json!({"sha256": fingerprint, "notAfter": end})
}

pub fn the_gateways(lab: &Lab, number: u8, gateways: &Value) {
    let service = object(
        lab,
        number,
        &["-n", "istio-system", "service", "istio-eastwestgateway"],
    );
    let list = |value: &Value, what: fn(&Value) -> Value| -> Vec<Value> {
        value.as_array().expect("a list").iter().map(what).collect()
    };
    let addresses = list(
        &service["status"]["loadBalancer"]["ingress"],
        |ingress| json!({"type": "IPAddress", "value": ingress["ip"]}),
    );
    assert_eq!(addresses.len(), 1, "{service:#}");
    let expected = json!([{
        "namespace": "istio-system", "name": "istio-eastwestgateway", "kind": "Service",
        "network": service["metadata"]["labels"]["topology.istio.io/network"],
        "addresses": addresses,
        "ports": list(&service["spec"]["ports"], |port| port["port"].clone()),
    }]);
    assert_eq!(gateways, &expected);
}

pub fn object(lab: &Lab, number: u8, arguments: &[&str]) -> Value {
    lab.object(&lab.context(number), arguments)
        .unwrap_or_else(|| panic!("{arguments:?} is not there"))
}

/// A value of a Secret's `data`.
pub fn decoded(value: &Value) -> String {
    let encoded = value.as_str().expect("the Secret has the key");
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded);
    String::from_utf8(bytes.expect("base64")).expect("text")
}
