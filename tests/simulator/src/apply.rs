//! Server-side apply (KEP-555): merging an intent into what stands, with a record of who owns which
//! field in `metadata.managedFields`, and conflicts where another manager has it otherwise.
//!
//! The schema is known as far as this tool's objects need it: maps are merged key by key, lists of
//! things with a name by that name, and every other list is one value.

use serde_json::{Map, Value, json};

/// An intent, and in whose name.
pub struct Intent<'intent> {
    /// What should stand.
    pub object: &'intent Value,
    /// The field manager.
    pub manager: &'intent str,
    /// Whether others' fields are taken over.
    pub force: bool,
    /// The time of the write.
    pub now: &'intent str,
}

/// Fields that others have otherwise: the manager and the path, as the server words it.
#[derive(Debug, PartialEq, Eq)]
pub struct Conflicts(pub Vec<(String, String)>);

/// What stands after an intent was merged into what stood, without a new version.
///
/// # Errors
///
/// Other managers' fields that would change, where the intent is not forced.
pub fn merge(live: Option<&Value>, intent: &Intent<'_>) -> Result<Value, Conflicts> {
    let mut object = intent.object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["managedFields", "uid", "resourceVersion"] {
            metadata.remove(field);
        }
    }
    let wanted = fields_of(&object);
    let mut entries: Vec<Value> = live
        .and_then(|live| live.pointer("/metadata/managedFields")?.as_array().cloned())
        .unwrap_or_default();
    let is_own = |entry: &Value| {
        entry["manager"] == intent.manager && entry["operation"] == "Apply" && entry["subresource"].is_null()
    };
    let before = entries.iter().find(|entry| is_own(entry)).cloned();

    let mut paths = Vec::new();
    leaves(&wanted, &mut Vec::new(), &mut paths);
    let wanted_fields = paths.len();
    let differs = |path: &Vec<String>| {
        live.is_some_and(|live| {
            let stands = at(live, path);
            stands.is_none_or(|stands| Some(stands) != at(&object, path))
        })
    };
    let mut conflicts = Vec::new();
    for entry in entries.iter_mut().filter(|entry| !is_own(entry)) {
        for path in paths.iter().filter(|path| differs(path)) {
            if !has(&entry["fieldsV1"], path) {
                continue;
            }
            if intent.force {
                forget(&mut entry["fieldsV1"], path);
            } else {
                conflicts.push((described(entry), dotted(path)));
            }
        }
    }
    if !conflicts.is_empty() {
        return Err(Conflicts(conflicts));
    }
    entries.retain(|entry| {
        entry["fieldsV1"]
            .as_object()
            .is_none_or(|fields| !fields.is_empty())
    });

    let mut merged = live.cloned().unwrap_or_else(|| json!({"metadata": {}}));
    merge_into(Schema::of(&object), &mut merged, &object, "");
    // What this manager had and no longer wants goes, unless another has it as well.
    if let Some(before) = &before {
        let mut had = Vec::new();
        leaves(&before["fieldsV1"], &mut Vec::new(), &mut had);
        had.sort_by_key(|path| std::cmp::Reverse(path.len()));
        for path in had.iter().filter(|path| !has(&wanted, path)) {
            let others = entries.iter().filter(|entry| !is_own(entry));
            if !others.into_iter().any(|entry| has(&entry["fieldsV1"], path)) {
                remove(&mut merged, path);
            }
        }
    }
    let api_version = object["apiVersion"].clone();
    let unchanged = before
        .as_ref()
        .is_some_and(|before| before["fieldsV1"] == wanted && before["apiVersion"] == api_version);
    let without_record = |value: &Value| {
        let mut value = value.clone();
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        value
    };
    let same = live.is_some_and(|live| without_record(live) == without_record(&merged));
    let mut entry = json!({
        "manager": intent.manager, "operation": "Apply", "apiVersion": api_version,
        "fieldsType": "FieldsV1", "fieldsV1": wanted,
    });
    // Whoever only comes to own what stands has no time.
    match &before {
        Some(before) if same && unchanged => entry["time"] = before["time"].clone(),
        None if same => {}
        _ => entry["time"] = intent.now.into(),
    }
    let owns_something = wanted_fields > 0;
    match entries.iter().position(is_own) {
        Some(index) if owns_something => entries[index] = entry,
        Some(index) => drop(entries.remove(index)),
        None if !owns_something => {}
        None => entries.push(entry),
    }
    // The server's own order (`managedfields/internal: sortEncodedManagedFields`).
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .sort_by_key(|entry| ["operation", "time", "manager", "apiVersion"].map(|field| text(&entry[field])));
    if !entries.is_empty() {
        merged["metadata"]["managedFields"] = entries.into();
    }
    Ok(merged)
}

/// The record of a plain write: every field of an object, as one manager's.
pub fn record_of_update(object: &Value, manager: &str, now: &str) -> Value {
    json!({
        "manager": manager, "operation": "Update", "apiVersion": object["apiVersion"], "time": now,
        "fieldsType": "FieldsV1", "fieldsV1": with_containers(fields_of(object)),
    })
}

/// A record of a plain write names each map itself as well (`.`).
fn with_containers(mut fields: Value) -> Value {
    fn walk(value: &mut Value, is_root: bool) {
        if let Value::Object(map) = value {
            let is_leaf = map.is_empty();
            map.values_mut().for_each(|inner| walk(inner, false));
            if !is_leaf && !is_root {
                map.insert(".".to_owned(), json!({}));
            }
        }
    }
    // Of metadata and of the root only the maps inside are named.
    for (field, inner) in fields.as_object_mut().into_iter().flatten() {
        match field.as_str() {
            "f:metadata" => inner
                .as_object_mut()
                .into_iter()
                .flatten()
                .for_each(|(_, inner)| walk(inner, false)),
            "f:spec" | "f:status" => walk(inner, true),
            _ => walk(inner, false),
        }
    }
    fields
}

fn described(entry: &Value) -> String {
    let manager = entry["manager"].as_str().unwrap_or_default();
    let version = entry["apiVersion"].as_str().unwrap_or_default();
    if entry["operation"] == "Apply" {
        format!("\"{manager}\"")
    } else {
        format!("\"{manager}\" using {version}")
    }
}

/// What is known of a kind's schema.
#[derive(Clone, Copy)]
struct Schema {
    /// Of custom resources, whose maps are all merged and whose lists are all one value.
    custom: bool,
}

impl Schema {
    fn of(object: &Value) -> Self {
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        Self {
            custom: api_version.contains(".istio.io/"),
        }
    }

    fn fields_of(self, field: &str, value: &Value) -> Value {
        fields_of_value(self, field, value)
    }

    /// Whether a map is one value (`x-kubernetes-map-type: atomic`): selectors and references.
    fn is_one_value(self, field: &str) -> bool {
        let selectors = [
            "selector",
            "nodeSelector",
            "labelSelector",
            "namespaceSelector",
            "objectSelector",
        ];
        let references = [
            "roleRef",
            "fieldRef",
            "resourceFieldRef",
            "secretKeyRef",
            "configMapKeyRef",
        ];
        !self.custom && (selectors.contains(&field) || references.contains(&field))
    }

    /// By which of its fields a list's things are told apart; none for a list that is one value
    /// (`x-kubernetes-list-map-keys` of the kinds that this tool writes).
    fn keys_of(self, field: &str, thing: &Value) -> Option<&'static [&'static str]> {
        match field {
            "ownerReferences" => Some(&["uid"]),
            _ if self.custom => None,
            "containers" | "initContainers" | "volumes" | "env" | "webhooks" | "imagePullSecrets"
            | "matchConditions" => Some(&["name"]),
            "secrets" if thing["name"].is_string() => Some(&["name"]),
            "volumeMounts" => Some(&["mountPath"]),
            "conditions" => Some(&["type"]),
            "ports" if thing["containerPort"].is_number() => Some(&["containerPort", "protocol"]),
            "ports" if thing["port"].is_number() && thing["name"].is_string() => Some(&["port", "protocol"]),
            _ => None,
        }
    }
}

/// A thing's key in a `fieldsV1` record.
fn key_step(keys: &[&str], thing: &Value) -> String {
    let mut key = Map::new();
    for name in keys {
        let value = match (&thing[*name], *name) {
            (Value::Null, "protocol") => "TCP".into(),
            (value, _) => value.clone(),
        };
        key.insert((*name).to_owned(), value);
    }
    format!("k:{}", Value::Object(key))
}

/// The fields of an object as a `fieldsV1` record, without those that name it.
fn fields_of(object: &Value) -> Value {
    let schema = Schema::of(object);
    let mut fields = Map::new();
    for (field, value) in object.as_object().into_iter().flatten() {
        match field.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                let mut inner = Map::new();
                for (field, value) in value.as_object().into_iter().flatten() {
                    if !matches!(
                        field.as_str(),
                        "name"
                            | "namespace"
                            | "uid"
                            | "resourceVersion"
                            | "creationTimestamp"
                            | "generation"
                            | "managedFields"
                            | "selfLink"
                    ) {
                        inner.insert(format!("f:{field}"), schema.fields_of(field, value));
                    }
                }
                if !inner.is_empty() {
                    fields.insert("f:metadata".to_owned(), inner.into());
                }
            }
            _ => {
                fields.insert(format!("f:{field}"), schema.fields_of(field, value));
            }
        }
    }
    Value::Object(fields)
}

fn fields_of_value(schema: Schema, field: &str, value: &Value) -> Value {
    let mut fields = Map::new();
    match value {
        Value::Object(_) if schema.is_one_value(field) => {}
        Value::Object(map) => {
            for (name, value) in map {
                fields.insert(format!("f:{name}"), schema.fields_of(name, value));
            }
        }
        Value::Array(things) if field == "finalizers" => {
            for thing in things {
                fields.insert(format!("v:{thing}"), json!({}));
            }
        }
        Value::Array(things) => {
            for thing in things {
                let Some(keys) = schema.keys_of(field, thing) else {
                    return json!({});
                };
                let mut inner = schema.fields_of("", thing);
                inner["."] = json!({});
                fields.insert(key_step(keys, thing), inner);
            }
        }
        _ => {}
    }
    Value::Object(fields)
}

/// The paths of a record's fields.
fn leaves(fields: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let Some(map) = fields.as_object() else {
        return;
    };
    if map.is_empty() && !path.is_empty() {
        found.push(path.clone());
    }
    for (step, inner) in map {
        if step == "." {
            continue;
        }
        path.push(step.clone());
        leaves(inner, path, found);
        path.pop();
    }
}

/// Whether a record names a path.
fn has(fields: &Value, path: &[String]) -> bool {
    let found = path.iter().try_fold(fields, |fields, step| fields.get(step));
    found.is_some_and(|found| {
        found
            .as_object()
            .is_some_and(|found| found.is_empty() || found.contains_key("."))
    })
}

/// Takes a path out of a record, and what is empty then.
fn forget(fields: &mut Value, path: &[String]) {
    let (Some(step), Some(map)) = (path.first(), fields.as_object_mut()) else {
        return;
    };
    if path.len() == 1 {
        map.remove(step);
    } else if let Some(inner) = map.get_mut(step) {
        forget(inner, &path[1..]);
        match inner.as_object_mut() {
            Some(fields) if fields.is_empty() => drop(map.remove(step)),
            // A map that is owned without anything in it is written as a field.
            Some(fields) if fields.keys().all(|key| key == ".") => fields.clear(),
            _ => {}
        }
    }
}

/// What stands at a record's path in an object.
fn at<'value>(value: &'value Value, path: &[String]) -> Option<&'value Value> {
    path.iter().try_fold(value, |value, step| match step.split_at(2) {
        ("f:", field) => value.get(field),
        ("k:", _) => value.as_array()?.iter().find(|thing| is_keyed(thing, step)),
        ("v:", text) => {
            let wanted: Value = serde_json::from_str(text).ok()?;
            value.as_array()?.iter().find(|thing| **thing == wanted)
        }
        _ => None,
    })
}

fn is_keyed(thing: &Value, step: &str) -> bool {
    let key: Value = serde_json::from_str(&step[2..]).unwrap_or_default();
    key.as_object().is_some_and(|key| {
        key.iter().all(|(name, value)| {
            thing[name] == *value || (name == "protocol" && thing[name].is_null() && value == "TCP")
        })
    })
}

/// Takes what stands at a record's path away, and maps that are empty then.
fn remove(value: &mut Value, path: &[String]) {
    let Some(step) = path.first() else {
        return;
    };
    let last = path.len() == 1;
    match (value, step.split_at(2)) {
        (Value::Object(map), ("f:", field)) => {
            if last {
                map.remove(field);
            } else if let Some(inner) = map.get_mut(field) {
                remove(inner, &path[1..]);
                let is_empty = inner.as_object().is_some_and(Map::is_empty)
                    || inner.as_array().is_some_and(Vec::is_empty);
                if is_empty {
                    map.remove(field);
                }
            }
        }
        (Value::Array(things), ("k:", _)) => {
            if let Some(index) = things.iter().position(|thing| is_keyed(thing, step)) {
                if last {
                    things.remove(index);
                } else {
                    remove(&mut things[index], &path[1..]);
                }
            }
        }
        (Value::Array(things), ("v:", text)) => {
            let wanted: Value = serde_json::from_str(text).unwrap_or_default();
            things.retain(|thing| *thing != wanted);
        }
        _ => {}
    }
}

fn merge_into(schema: Schema, live: &mut Value, wanted: &Value, field: &str) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) if !schema.is_one_value(field) => {
            for (field, value) in wanted {
                match live.get_mut(field) {
                    Some(stands) => merge_into(schema, stands, value, field),
                    None => {
                        live.insert(field.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(live), Value::Array(wanted))
            if wanted
                .first()
                .is_some_and(|thing| schema.keys_of(field, thing).is_some()) =>
        {
            for thing in wanted {
                let step = schema
                    .keys_of(field, thing)
                    .map(|keys| key_step(keys, thing))
                    .unwrap_or_default();
                match live
                    .iter_mut()
                    .find(|stands| !step.is_empty() && is_keyed(stands, &step))
                {
                    Some(stands) => merge_into(schema, stands, thing, ""),
                    None => live.push(thing.clone()),
                }
            }
        }
        (Value::Array(live), Value::Array(wanted)) if field == "finalizers" => {
            for thing in wanted {
                if !live.contains(thing) {
                    live.push(thing.clone());
                }
            }
        }
        (live, wanted) => *live = wanted.clone(),
    }
}

/// A path as the server words it: `.data.key`, `.spec.containers[name="a"].image`.
fn dotted(path: &[String]) -> String {
    path.iter()
        .map(|step| match step.split_at(2) {
            ("f:", field) => format!(".{field}"),
            ("k:", key) => {
                let key: Value = serde_json::from_str(key).unwrap_or_default();
                let parts = key.as_object().into_iter().flatten();
                let parts: Vec<String> = parts.map(|(name, value)| format!("{name}={value}")).collect();
                format!("[{}]", parts.join(","))
            }
            (_, value) => format!("[={value}]"),
        })
        .collect()
}
