//! A Kubernetes object as it was read or is to be written: a JSON value with the fields that every
//! object has at hand. `k8s_openapi`'s types are not used here: they drop the fields they do not
//! know, so an object that went through one could not be written back.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kind::{self, Kind};

/// An object's JSON.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(pub Value);

/// Which object: what a plan, a report and an error call it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReference {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// Empty for objects of the whole cluster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl ObjectReference {
    /// A reference from its parts; an empty namespace is an object of the whole cluster.
    pub fn new(
        api_version: impl Into<String>,
        kind: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

impl fmt::Display for ObjectReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(formatter, "{} {}", self.kind, self.name)
        } else {
            write!(formatter, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

impl Object {
    /// The value at a path of field names, where there is one.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, field| value.get(field))
    }

    /// The text at a path, empty where there is none.
    pub fn text(&self, path: &[&str]) -> &str {
        self.at(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// The list at a path, empty where there is none.
    pub fn list(&self, path: &[&str]) -> &[Value] {
        self.at(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"])
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.text(&["kind"])
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"])
    }

    /// `metadata.namespace`, empty for objects of the whole cluster.
    pub fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// `metadata.uid`, empty in an object that does not stand yet.
    pub fn uid(&self) -> &str {
        self.text(&["metadata", "uid"])
    }

    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at(&["metadata", "labels", key]).and_then(Value::as_str)
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at(&["metadata", "annotations", key]).and_then(Value::as_str)
    }

    /// Whether a condition of `status.conditions` holds.
    pub fn has_condition(&self, condition: &str) -> bool {
        self.list(&["status", "conditions"])
            .iter()
            .any(|entry| entry["type"] == condition && entry["status"] == "True")
    }

    /// Who wrote fields of it: the managers in `metadata.managedFields`, in their order, once each.
    pub fn managers(&self) -> Vec<&str> {
        let mut managers = Vec::new();
        for entry in self.list(&["metadata", "managedFields"]) {
            if let Some(manager) = entry["manager"].as_str()
                && !managers.contains(&manager)
            {
                managers.push(manager);
            }
        }
        managers
    }

    /// Whether it is one of a kind.
    pub fn is_of(&self, kind: Kind) -> bool {
        self.kind() == kind.kind && self.api_version() == kind.api_version
    }

    /// Whether it is a webhook configuration.
    pub fn is_webhook(&self) -> bool {
        self.is_of(kind::MUTATING_WEBHOOK) || self.is_of(kind::VALIDATING_WEBHOOK)
    }

    /// Which object it is.
    pub fn reference(&self) -> ObjectReference {
        ObjectReference::new(self.api_version(), self.kind(), self.namespace(), self.name())
    }

    /// Sets a label; the metadata is made where it is missing.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.metadata_map("labels").insert(key.to_owned(), value.into());
    }

    /// Sets an annotation; the metadata is made where it is missing.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.metadata_map("annotations")
            .insert(key.to_owned(), value.into());
    }

    /// The object without what a server counts and notes down with each write.
    #[must_use]
    pub fn without_bookkeeping(mut self) -> Self {
        if let Some(metadata) = self.0.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in ["managedFields", "resourceVersion", "generation"] {
                metadata.remove(field);
            }
        }
        self
    }

    fn metadata_map(&mut self, field: &str) -> &mut Map<String, Value> {
        let metadata = as_map(as_map(&mut self.0).entry("metadata").or_insert(Value::Null));
        as_map(metadata.entry(field).or_insert(Value::Null))
    }
}

/// The map in a value, which becomes one if it was something else.
fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made a map just above"),
    }
}

/// Shows which object it is, not what is in it: contents may be long, and a Secret's secret.
impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.reference())
    }
}
