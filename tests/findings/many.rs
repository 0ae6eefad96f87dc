//! A thousand primaries of one fleet of which none reads another yet: a million links. What is made
//! of them is counted, not timed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use stolos::fleet::Fleet;
use stolos::inventory::Inventory;
use stolos::render::status::{self as view, Look};
use stolos::status::{self, LinkState, StatusReport};

use super::{folder, now, read};

const CLUSTERS: usize = 1000;

fn name(number: usize) -> String {
    format!("sim-{number:04}")
}

/// The healthy case's first cluster, once under each name and without a link to any other.
fn world(is_unread: impl Fn(usize) -> bool) -> (Inventory, Fleet) {
    let member = &read(&folder().join("healthy/inventory.yaml"))["clusters"]["east"];
    let mut clusters = BTreeMap::new();
    let mut members = Vec::new();
    for number in 1..=CLUSTERS {
        let name = name(number);
        let uid = format!("00000000-0000-4000-8000-{number:012}");
        let observation = if is_unread(number) {
            json!({"unreachable": {"context": name, "failure": {
                "class": "timeout", "verb": "get", "resource": "/version",
                "message": format!("no answer of {name} within 10s"),
            }}})
        } else {
            let mut member = member.clone();
            rename(&mut member, &name);
            let seen = &mut member["seen"];
            seen["uid"] = uid.as_str().into();
            seen["remoteSecrets"] = json!([]);
            let replica = &mut seen["replicas"][0];
            replica["clusterz"] = json!({"said": [{"id": name, "syncStatus": "synced"}]});
            replica["networkz"] = json!({ "said": [] });
            member
        };
        let network = format!("net-{name}");
        members
            .push(json!({"name": name, "context": format!("prod-{name}"), "network": network, "uid": uid}));
        clusters.insert(
            name.parse().expect("a name"),
            serde_json::from_value(observation).expect("an observation"),
        );
    }
    let fleet: Fleet = serde_json::from_value(json!({
        "apiVersion": "stolos.dev/v1alpha1", "kind": "Fleet", "metadata": {"name": "many"},
        "spec": {"clusters": members, "mesh": {"meshID": "mesh1"}},
    }))
    .expect("a fleet");
    (Inventory { clusters }, fleet)
}

fn report(is_unread: impl Fn(usize) -> bool) -> StatusReport {
    let (inventory, fleet) = world(is_unread);
    status::report(&inventory, Some(&fleet), None, now())
}

/// Gives the cluster `east` another name, wherever it is named.
fn rename(value: &mut Value, name: &str) {
    match value {
        Value::String(text) if text == "east" => *text = name.to_owned(),
        Value::String(text) => {
            *text = text
                .replace("net-east", &format!("net-{name}"))
                .replace("prod-east", &format!("prod-{name}"))
                .replace("\"east\"", &format!("\"{name}\""));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, name)),
        Value::Object(map) => map.values_mut().for_each(|value| rename(value, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How many findings there are of each code.
fn counted(report: &StatusReport) -> BTreeMap<&str, usize> {
    let mut counted = BTreeMap::new();
    for finding in &report.findings {
        *counted.entry(finding.code).or_default() += 1;
    }
    counted
}

/// How many lines are shown beside one for each cluster.
fn lines(report: &StatusReport, wide: bool) -> usize {
    let look = Look { wide, colored: false };
    view::after_clusters(report, look).lines().count()
}

#[test]
fn a_million_links_that_are_missing_are_told_in_few_words() {
    let report = report(|_| false);
    let links = &report.links;
    assert_eq!(links.len(), CLUSTERS * (CLUSTERS - 1));
    assert_eq!(links.groups().len(), CLUSTERS, "one group a reader");
    assert_eq!(links.count(LinkState::Missing), links.len());

    // Taken apart they are every pair, by reader and then by target.
    let mut pairs = (1..=CLUSTERS).flat_map(|inside| {
        let targets = (1..=CLUSTERS).filter(move |to| *to != inside);
        targets.map(move |to| (inside, to))
    });
    let number = |name: &str| name.trim_start_matches("sim-").parse::<usize>().ok();
    for link in links.iter() {
        let pair = number(link.inside).zip(number(link.to));
        assert_eq!(pair, pairs.next());
        assert_eq!(link.reason, "no remote secret for it in istio-system");
        assert_eq!(link.observed.len(), 1);
    }
    assert_eq!(pairs.next(), None);

    assert_eq!(counted(&report), [("link-missing", CLUSTERS)].into());
    assert_eq!(
        report.findings[1].message,
        "sim-0002 reads 999 clusters; of each: no remote secret for it in istio-system \
         (sim-0001, sim-0003, sim-0004, sim-0005, sim-0006 and 994 more)"
    );
    assert!(
        lines(&report, false) < 100,
        "{}",
        view::report(&report, Look::default())
    );
    // All of them: a line a reader, a finding a reader with its hint, its replica, its certificates.
    let wide = lines(&report, true);
    assert!((6 * CLUSTERS..8 * CLUSTERS).contains(&wide), "{wide}");
}

#[test]
fn a_tenth_that_does_not_answer_costs_nobody_more_than_a_line() {
    let is_unread = |number: usize| number.is_multiple_of(10);
    let report = report(is_unread);
    let links = &report.links;
    assert_eq!(links.len(), CLUSTERS * (CLUSTERS - 1));
    // Of a reader that did not answer: those that did, and those that did not.
    assert_eq!(links.groups().len(), CLUSTERS * 9 / 10 + 2 * CLUSTERS / 10);
    let unread = links
        .iter()
        .find(|link| link.state == LinkState::Unreachable)
        .expect("a link");
    assert_eq!(
        (unread.inside, unread.to, unread.reason.as_ref()),
        (
            "sim-0010",
            "sim-0020",
            "sim-0020 could not be read: no answer of sim-0020 within 10s"
        )
    );
    let expected = [
        ("cluster-unreachable", CLUSTERS / 10),
        ("link-missing", CLUSTERS * 9 / 10),
        ("link-unreachable", CLUSTERS / 10),
    ];
    assert_eq!(counted(&report), expected.into());
    assert!(report.findings.iter().all(|finding| finding.message.len() < 300));
    assert!(
        lines(&report, false) < 150,
        "{}",
        view::report(&report, Look::default())
    );
}
