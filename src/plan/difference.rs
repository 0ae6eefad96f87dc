//! Drift: in which fields a live object is not what is desired. Computed from the lists that were
//! collected anyway, in two directions: every desired field must be equal in the live object, and
//! every field that `stolos` owns there (`metadata.managedFields`, server-side apply's record) must
//! still be desired. Fields of others and defaults that the API server filled in are left alone.

use serde::Serialize;
use serde_json::Value;

use crate::inventory::Object;

/// One field in which a live object is not what is desired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Which, such as `spec.template.spec.containers[name=discovery].image`.
    pub path: String,
    /// What stands; none where nothing does.
    pub live: Option<Value>,
    /// What is desired; none where it is to go.
    pub desired: Option<Value>,
}

/// The fields in which a live object is not what is desired. Empty where nothing is to be done.
pub fn differences(desired: &Object, live: &Object, manager: &str) -> Vec<Difference> {
    let mut differing = Vec::new();
    compare(&desired.0, &live.0, &mut Path::default(), &mut differing);
    for entry in live.list(&["metadata", "managedFields"]) {
        if entry["manager"] == manager && entry["operation"] == "Apply" && entry.get("subresource").is_none()
        {
            let sides = (&desired.0, Some(&live.0));
            no_longer_desired(&entry["fieldsV1"], sides, &mut Path::default(), &mut differing);
        }
    }
    // Somebody may own a field that is not there: it was written as null.
    differing.retain(|difference| difference.live != difference.desired);
    differing.dedup_by(|one, other| one.path == other.path);
    differing
}

/// The reason of an update: the first fields in which the object differs.
pub fn reason_of(differing: &[Difference]) -> String {
    let shown: Vec<&str> = differing.iter().take(3).map(|one| one.path.as_str()).collect();
    match differing.len() {
        0 => "it differs".to_owned(),
        1..=3 => format!("differs in {}", shown.join(", ")),
        more => format!("differs in {} and {} more", shown.join(", "), more - 3),
    }
}

/// Whether a manager owns a field of an object by server-side apply; the path is in the form of
/// `managedFields`, such as `["f:webhooks", "k:{\"name\":\"x\"}", "f:failurePolicy"]`.
pub fn owns_field(live: &Object, manager: &str, path: &[&str]) -> bool {
    live.list(&["metadata", "managedFields"]).iter().any(|entry| {
        entry["manager"] == manager
            && path
                .iter()
                .try_fold(&entry["fieldsV1"], |fields, step| fields.get(step))
                .is_some()
    })
}

/// Whether a manager owns a label or an annotation of an object by server-side apply; `field` is
/// `labels` or `annotations`.
pub fn owns_metadata(live: &Object, manager: &str, field: &str, key: &str) -> bool {
    owns_field(
        live,
        manager,
        &["f:metadata", &format!("f:{field}"), &format!("f:{key}")],
    )
}

/// A list's keys, by the field that holds the list: what server-side apply matches its items by
/// (`x-kubernetes-list-map-keys` of Kubernetes' own types). Lists that are not here are compared
/// item by item, in order.
fn list_keys(field: &str, items: &[Value]) -> &'static [&'static str] {
    let all_have = |key: &str| items.iter().all(|item| item.get(key).is_some());
    match field {
        "containers" | "initContainers" | "volumes" | "env" | "webhooks" | "imagePullSecrets" | "secrets"
        | "matchConditions" => &["name"],
        "volumeMounts" => &["mountPath"],
        "conditions" => &["type"],
        "ownerReferences" => &["uid"],
        "ports" if all_have("containerPort") => &["containerPort", "protocol"],
        "ports" if all_have("port") => &["port", "protocol"],
        _ => &[],
    }
}

/// What a list key is where an item does not say: the only default among them.
fn key_default(key: &str) -> Option<&'static str> {
    (key == "protocol").then_some("TCP")
}

/// Whether two items of a list are the same one.
fn same_item(one: &Value, other: &Value, keys: &[&str]) -> bool {
    let key_of = |item: &Value, key: &str| match item.get(key) {
        Some(value) => Some(value.clone()),
        None => key_default(key).map(Value::from),
    };
    keys.iter().all(|key| key_of(one, key) == key_of(other, key))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(list) => list.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn compare(desired: &Value, live: &Value, path: &mut Path, differing: &mut Vec<Difference>) {
    match (desired, live) {
        (Value::Object(desired), live) => {
            for (field, value) in desired {
                path.enter(format!(".{field}"), |path| match live.get(field) {
                    Some(found) => compare(value, found, path, differing),
                    None if is_empty(value) => {}
                    None => differing.push(path.missing(value)),
                });
            }
        }
        (Value::Array(desired), Value::Array(live)) => compare_lists(desired, live, path, differing),
        (desired, live) if scalars_equal(desired, live, path.last_field()) => {}
        (desired, live) if is_empty(desired) && is_empty(live) => {}
        _ => differing.push(path.changed(live, desired)),
    }
}

fn compare_lists(desired: &[Value], live: &[Value], path: &mut Path, differing: &mut Vec<Difference>) {
    let keys = list_keys(path.last_field(), desired);
    if keys.is_empty() {
        if desired.len() != live.len() {
            differing.push(path.changed(&live.into(), &desired.into()));
            return;
        }
        for (index, (desired, live)) in desired.iter().zip(live).enumerate() {
            path.enter(format!("[{index}]"), |path| {
                compare(desired, live, path, differing);
            });
        }
        return;
    }
    for item in desired {
        path.enter(item_name(item, keys), |path| {
            match live.iter().find(|candidate| same_item(item, candidate, keys)) {
                Some(found) => compare(item, found, path, differing),
                None => differing.push(path.missing(item)),
            }
        });
    }
}

fn item_name(item: &Value, keys: &[&str]) -> String {
    let parts: Vec<String> = keys
        .iter()
        .filter_map(|key| {
            let value = item.get(key)?;
            Some(format!(
                "{key}={}",
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            ))
        })
        .collect();
    format!("[{}]", parts.join(","))
}

fn scalars_equal(desired: &Value, live: &Value, field: &str) -> bool {
    if desired == live {
        return true;
    }
    match (desired, live) {
        (Value::Number(desired), Value::Number(live)) => desired.as_f64() == live.as_f64(),
        _ if is_quantity_field(field) => match (quantity(desired), quantity(live)) {
            (Some(desired), Some(live)) => desired == live,
            _ => false,
        },
        _ => false,
    }
}

fn is_quantity_field(field: &str) -> bool {
    matches!(
        field,
        "cpu" | "memory" | "ephemeral-storage" | "storage" | "averageValue" | "sizeLimit"
    )
}

/// A quantity in thousandths (Kubernetes: `resource.Quantity`); `None` where it is none, or too
/// large for that.
fn quantity(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let split = text
        .find(|character: char| character.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 3 {
        return None;
    }
    let thousandths = format!("{whole}{fraction:0<3}").parse::<i128>().ok()?;
    let factor: i128 = match suffix {
        "" => 1,
        "m" => return (thousandths % 1000 == 0).then_some(thousandths / 1000),
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return None,
    };
    thousandths.checked_mul(factor)
}

/// Walks a `fieldsV1` set: what it names and the desired object does not have. The sides are what is
/// desired at the path, and what stands there.
fn no_longer_desired(
    fields: &Value,
    (desired, live): (&Value, Option<&Value>),
    path: &mut Path,
    undesired: &mut Vec<Difference>,
) {
    let Value::Object(fields) = fields else {
        return;
    };
    for (step, below) in fields {
        if let Some(field) = step.strip_prefix("f:") {
            let live = live.and_then(|live| live.get(field));
            path.enter(format!(".{field}"), |path| match desired.get(field) {
                None | Some(Value::Null) => undesired.push(path.left_over(live)),
                Some(value) => no_longer_desired(below, (value, live), path, undesired),
            });
        } else if let Some(key) = step.strip_prefix("k:") {
            let Ok(Value::Object(key)) = serde_json::from_str::<Value>(key) else {
                continue;
            };
            let keys: Vec<&str> = key.keys().map(String::as_str).collect();
            let wanted = Value::Object(key.clone());
            let item_of = |list: &Value| {
                let items = list.as_array().map_or(&[][..], Vec::as_slice);
                items.iter().position(|item| same_item(item, &wanted, &keys))
            };
            let live = live.and_then(|live| live.get(item_of(live)?));
            path.enter(item_name(&wanted, &keys), |path| match item_of(desired) {
                None => undesired.push(path.left_over(live)),
                Some(item) => no_longer_desired(below, (&desired[item], live), path, undesired),
            });
        } else if let Some(value) = step.strip_prefix("v:") {
            let value: Value = serde_json::from_str(value).unwrap_or(Value::Null);
            if !desired.as_array().is_some_and(|items| items.contains(&value)) {
                path.enter(format!("[{value}]"), |path| {
                    undesired.push(path.left_over(Some(&value)));
                });
            }
        }
    }
}

/// Where in an object the comparison is.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, step: String, visit: impl FnOnce(&mut Self)) {
        self.0.push(step);
        visit(self);
        self.0.pop();
    }

    /// It does not stand.
    fn missing(&self, desired: &Value) -> Difference {
        Difference {
            path: self.to_string(),
            live: None,
            desired: Some(desired.clone()),
        }
    }

    /// It is another.
    fn changed(&self, live: &Value, desired: &Value) -> Difference {
        Difference {
            live: Some(live.clone()),
            ..self.missing(desired)
        }
    }

    /// It is not desired any more.
    fn left_over(&self, live: Option<&Value>) -> Difference {
        Difference {
            path: self.to_string(),
            live: live.cloned(),
            desired: None,
        }
    }

    /// The innermost field's name, past the items of lists.
    fn last_field(&self) -> &str {
        self.0
            .iter()
            .rev()
            .find_map(|step| step.strip_prefix('.'))
            .unwrap_or_default()
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.concat().trim_start_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differing(desired: Value, live: Value) -> Vec<String> {
        let differing = differences(&Object(desired), &Object(live), "stolos");
        differing.into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn a_difference_has_both_sides() {
        let live = json!({"a": 1, "left": "x", "list": [{"port": 80, "protocol": "TCP"}], "metadata": {"managedFields": [
            {"manager": "stolos", "operation": "Apply", "fieldsV1": {
                "f:left": {}, "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {}}}}]},
            "ports": [{"port": 80, "protocol": "TCP", "name": "old"}]});
        let desired = json!({"a": 2, "new": {"b": true}, "ports": []});
        let found = differences(&Object(desired), &Object(live), "stolos");
        let of = |path: &str, live: Option<Value>, desired: Option<Value>| Difference {
            path: path.to_owned(),
            live,
            desired,
        };
        let old = json!({"port": 80, "protocol": "TCP", "name": "old"});
        assert_eq!(
            found,
            [
                of("a", Some(json!(1)), Some(json!(2))),
                of("new", None, Some(json!({"b": true}))),
                of("left", Some(json!("x")), None),
                of("ports[port=80,protocol=TCP]", Some(old), None),
            ]
        );
    }

    #[test]
    fn defaults_and_other_peoples_fields_are_no_difference() {
        let desired = json!({"metadata": {"labels": {"a": "1"}, "annotations": {}}, "spec": {
            "ports": [{"port": 443, "targetPort": 15017}],
            "template": {"spec": {"containers": [{"name": "discovery", "image": "x",
                "resources": {"requests": {"cpu": "2000m", "memory": "1024Mi"}}, "args": ["a", "b"]}]}}}});
        let live = json!({"metadata": {"labels": {"a": "1", "theirs": "2"}, "uid": "u"}, "spec": {
            "type": "ClusterIP",
            "ports": [{"port": 15012, "protocol": "TCP"}, {"port": 443, "targetPort": 15017, "protocol": "TCP"}],
            "template": {"spec": {"containers": [{"name": "sidecar"}, {"name": "discovery", "image": "x",
                "imagePullPolicy": "Always",
                "resources": {"requests": {"cpu": "2", "memory": "1Gi"}}, "args": ["a", "b"]}]}}}});
        assert_eq!(differing(desired, live), Vec::<String>::new());
    }

    #[test]
    fn what_differs_is_named_by_its_path() {
        let live = json!({"spec": {"ports": [{"port": 443, "protocol": "TCP", "targetPort": 1}], "args": ["a"],
                                   "cpu": "100m"}});
        assert_eq!(
            differing(
                json!({"spec": {"ports": [{"port": 443, "targetPort": 2}, {"port": 80}], "args": ["b"], "cpu": "0.2",
                                "missing": {"x": 1}}}),
                live
            ),
            [
                "spec.args[0]",
                "spec.cpu",
                "spec.missing",
                "spec.ports[port=443].targetPort",
                "spec.ports[port=80]"
            ]
        );
    }

    #[test]
    fn what_we_own_and_no_longer_want_is_a_difference() {
        let live = json!({"metadata": {"labels": {"a": "1", "old": "2"}, "managedFields": [
            {"manager": "stolos", "operation": "Apply", "fieldsV1": {
                "f:metadata": {"f:labels": {"f:a": {}, "f:old": {}}},
                "f:spec": {"f:ports": {"k:{\"port\":443,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}},
                                       "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}}}},
            {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:theirs": {}}}}}]},
            "spec": {"ports": [{"port": 443, "protocol": "TCP"}, {"port": 80, "protocol": "TCP"}]}});
        let desired = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"ports": [{"port": 443}]}});
        assert_eq!(
            differing(desired, live.clone()),
            ["metadata.labels.old", "spec.ports[port=80,protocol=TCP]"]
        );
        assert!(owns_field(
            &Object(live.clone()),
            "stolos",
            &["f:metadata", "f:labels", "f:a"]
        ));
        assert!(!owns_field(
            &Object(live),
            "stolos",
            &["f:metadata", "f:labels", "f:b"]
        ));
    }

    #[test]
    fn quantities_are_compared_by_value() {
        for (one, other, equal) in [
            ("500m", "0.5", true),
            ("1Gi", "1024Mi", true),
            ("1G", "1Gi", false),
            ("2", "2000m", true),
            ("x", "y", false),
        ] {
            assert_eq!(
                differing(json!({"cpu": one}), json!({"cpu": other})).is_empty(),
                equal,
                "{one} {other}"
            );
        }
        assert!(!differing(json!({"image": "1"}), json!({"image": "1000m"})).is_empty());
    }
}
