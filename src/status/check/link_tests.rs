//! What is found of many links, and of a cluster that many read.

use serde_json::json;

use crate::fleet::Fleet;
use crate::inventory::Inventory;
use crate::status::{Finding, report};

/// A fleet of primaries without any link, of which some did not answer.
fn findings(count: usize, is_unread: impl Fn(usize) -> bool) -> Vec<Finding> {
    let names: Vec<String> = (1..=count).map(|number| format!("c{number:02}")).collect();
    let mut clusters = json!({});
    for (index, name) in names.iter().enumerate() {
        let istiod = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "istiod", "namespace": "istio-system", "labels": {"app": "istiod"}},
            "spec": {"template": {"spec": {"containers": [
                {"name": "discovery", "env": [{"name": "CLUSTER_ID", "value": name}]},
            ]}}},
        });
        clusters[name] = if is_unread(index) {
            json!({"unreachable": {"context": name, "failure": {
                "class": "tcp", "verb": "connect", "resource": "/", "message": format!("no way to {name}"),
            }}})
        } else {
            json!({"seen": {"objects": [istiod], "lists": {"v1/Secret": [""]}}})
        };
    }
    let inventory: Inventory = serde_json::from_value(json!({ "clusters": clusters })).unwrap();
    let members: Vec<_> = names
        .iter()
        .map(|name| json!({"name": name, "role": "primary"}))
        .collect();
    let fleet: Fleet = serde_json::from_value(json!({
        "apiVersion": "stolos.dev/v1alpha1", "kind": "Fleet",
        "metadata": {"name": "many"}, "spec": {"clusters": members},
    }))
    .unwrap();
    report(
        &inventory,
        Some(&fleet),
        None,
        "2026-06-01T00:00:00Z".parse().unwrap(),
    )
    .findings
}

fn messages<'found>(findings: &'found [Finding], code: &str) -> Vec<&'found str> {
    let findings = findings.iter().filter(|finding| finding.code == code);
    findings.map(|finding| finding.message.as_str()).collect()
}

#[test]
fn many_links_of_a_reader_are_one_finding() {
    let found = findings(8, |_| false);
    let missing = messages(&found, "link-missing");
    assert_eq!(missing.len(), 8, "{missing:#?}");
    assert_eq!(
        missing[0],
        "c01 reads 7 clusters; of each: no remote secret for it in istio-system (c02, c03, c04, c05, c06 and 2 more)"
    );
    let finding = found
        .iter()
        .find(|finding| finding.code == "link-missing")
        .unwrap();
    assert_eq!(finding.cluster.as_deref(), Some("c01"));
    assert_eq!(messages(&findings(4, |_| false), "link-missing").len(), 12);
}

#[test]
fn who_reads_a_silent_cluster_is_told_one_by_one_while_they_are_few() {
    let found = findings(4, |_| true);
    assert_eq!(
        messages(&found, "link-unreachable")[1],
        "nothing can be said of the credentials of c01 (whose istiod says nothing of it), \
         c03 (whose istiod says nothing of it), c04 (whose istiod says nothing of it)"
    );
    let found = findings(9, |_| true);
    let messages = messages(&found, "link-unreachable");
    assert_eq!(messages.len(), 9);
    assert_eq!(
        messages[1],
        "nothing can be said of the credentials of c01, c03, c04, c05, c06 and 3 more \
         (whose istiods say nothing of it)"
    );
}
