//! What stands in a cluster, so that two moments can be compared.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fleet::Fleet;
use crate::harness::{json, must};

/// What stands in a cluster: everything that can be listed, but for what comes and goes by itself.
pub fn everything(fleet: &Fleet, number: u8) -> BTreeSet<String> {
    let context = fleet.lab.context(number);
    let kinds = must(
        fleet
            .lab
            .kubectl(&context, &["api-resources", "--verbs=list", "-o", "name"]),
    );
    let passing = ["events", "apiservices"];
    let kinds: Vec<&str> = kinds
        .lines()
        .filter(|kind| !passing.iter().any(|passing| kind.contains(passing)))
        .collect();
    let arguments = ["get", &kinds.join(","), "-A", "-o", "json", "--ignore-not-found"];
    let list = json(fleet.lab.kubectl(&context, &arguments));
    let items = list["items"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items
        .iter()
        .map(|item| {
            let (namespace, name) = (&item["metadata"]["namespace"], &item["metadata"]["name"]);
            format!("{} {}/{}", text(&item["kind"]), text(namespace), text(name))
        })
        .collect()
}
