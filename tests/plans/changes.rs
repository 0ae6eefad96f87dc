//! Changes of an inventory, so that a case says only what is particular to it. In `changes.yaml` a
//! list of [`Change`]s, made in their order.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One change: to an object of a cluster where one is named, else to what the cluster said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Change {
    cluster: String,
    /// `Kind namespace/name`, or `Kind name`.
    object: Option<String>,
    /// A JSON merge patch (RFC 7396): null removes. Two things more than it: a list's items by their
    /// index (`'0'`), and what a list gets in addition (`+remoteSecrets`).
    merge: Option<Value>,
    /// Takes the object out.
    #[serde(default)]
    remove: bool,
    /// Puts objects in.
    #[serde(default)]
    add: Vec<Value>,
    /// Makes the kinds of these lists (`v1/Secret`) unread.
    #[serde(default)]
    unread: Vec<String>,
    /// The cluster does not answer, for this reason.
    unreachable: Option<String>,
}

/// Makes changes in an inventory as JSON.
pub fn make(inventory: &mut Value, changes: Vec<Change>) {
    for change in changes {
        one(inventory, change);
    }
}

fn one(inventory: &mut Value, change: Change) {
    let whole = &mut inventory["clusters"][&change.cluster];
    if let Some(message) = change.unreachable {
        *whole = serde_json::json!({"unreachable": {"context": change.cluster, "failure": {
            "class": "tcp", "verb": "connect", "resource": "https://127.0.0.1:40009", "message": message}}});
        return;
    }
    let cluster = &mut whole["seen"];
    for list in &change.unread {
        cluster["lists"].as_object_mut().expect("lists").remove(list);
        let (_, kind) = list.rsplit_once('/').expect("a list is apiVersion/Kind");
        let failure = serde_json::json!({"class": "permission", "verb": "list",
            "resource": format!("{}s", kind.to_lowercase()), "message": "forbidden"});
        cluster["unread"].as_array_mut().expect("a list").push(failure);
        cluster["objects"]
            .as_array_mut()
            .expect("objects")
            .retain(|object| object["kind"] != kind);
    }
    let objects = |cluster: &mut Value| cluster["objects"].as_array_mut().expect("objects").len();
    let before = objects(cluster);
    cluster["objects"]
        .as_array_mut()
        .expect("objects")
        .extend(change.add);
    let Some(name) = change.object else {
        match change.merge {
            Some(merge) => merge_into(cluster, merge),
            None => assert!(
                objects(cluster) > before || !change.unread.is_empty(),
                "a change of {} changes nothing",
                change.cluster
            ),
        }
        return;
    };
    let objects = cluster["objects"].as_array_mut().expect("objects");
    let position = objects
        .iter()
        .position(|object| called(object) == name)
        .unwrap_or_else(|| panic!("{} has no {name}", change.cluster));
    if change.remove {
        objects.remove(position);
    } else {
        merge_into(&mut objects[position], change.merge.expect("what to merge"));
    }
}

fn called(object: &Value) -> String {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match text("/metadata/namespace") {
        "" => format!("{} {}", text("/kind"), text("/metadata/name")),
        namespace => format!("{} {namespace}/{}", text("/kind"), text("/metadata/name")),
    }
}

pub fn merge_into(value: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *value = patch;
        return;
    };
    if let Value::Array(items) = value {
        for (index, patch) in fields {
            let index: usize = index.parse().expect("a list's item is named by its index");
            merge_into(&mut items[index], patch);
        }
        return;
    }
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let map = value.as_object_mut().expect("it is a map now");
    for (key, patch) in fields {
        if let Some(list) = key.strip_prefix('+') {
            let more = patch.as_array().expect("what is added to a list is one").clone();
            map[list].as_array_mut().expect("a list").extend(more);
        } else if patch.is_null() {
            map.remove(&key);
        } else {
            merge_into(map.entry(key).or_insert(Value::Null), patch);
        }
    }
}
