//! Label and field selectors, in the grammar that the API server reads.

use crate::resource::Resource;

/// What selectors ask of an object.
pub trait Selectable {
    /// A label's value.
    fn label(&self, key: &str) -> Option<String>;
    /// A field's value as text, empty where it is not set.
    fn field(&self, path: &str) -> String;
}

/// One requirement of a label selector.
#[derive(Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Missing(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

/// A label selector and a field selector together.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<Requirement>,
    /// Path, value, and whether it must be equal.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    /// Reads both selectors.
    ///
    /// # Errors
    ///
    /// What the server says of a field that it cannot select by, or of a selector that is none.
    pub fn parse(labels: &str, fields: &str, resource: &Resource) -> Result<Self, String> {
        let mut selector = Self::default();
        for requirement in split_outside_brackets(labels) {
            selector.labels.push(requirement_of(requirement)?);
        }
        for part in fields.split(',').filter(|part| !part.is_empty()) {
            let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
                (path, value, false)
            } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (path, value, true)
            } else {
                return Err(format!("invalid selector: '{fields}'; can't understand '{part}'"));
            };
            if !selectable_fields(resource).contains(&path) {
                return Err(format!("field label not supported: {path}"));
            }
            selector.fields.push((path.to_owned(), value.to_owned(), equal));
        }
        Ok(selector)
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// The one name that it selects, where it names one.
    pub fn name(&self) -> Option<&str> {
        let by_name = |(path, _, equal): &&(String, String, bool)| path == "metadata.name" && *equal;
        self.fields
            .iter()
            .find(by_name)
            .map(|(_, value, _)| value.as_str())
    }

    /// Whether it selects an object.
    pub fn selects(&self, object: &impl Selectable) -> bool {
        let labels = self.labels.iter().all(|requirement| match requirement {
            Requirement::Exists(key) => object.label(key).is_some(),
            Requirement::Missing(key) => object.label(key).is_none(),
            Requirement::In(key, values) => object.label(key).is_some_and(|value| values.contains(&value)),
            Requirement::NotIn(key, values) => object.label(key).is_none_or(|value| !values.contains(&value)),
        });
        labels
            && self
                .fields
                .iter()
                .all(|(path, value, equal)| (object.field(path) == *value) == *equal)
    }
}

/// The fields that the server selects a kind by (`GetAttrs` of each kind's storage).
fn selectable_fields(resource: &Resource) -> &'static [&'static str] {
    match (resource.namespaced, resource.kind) {
        (_, "Secret") => &["metadata.name", "metadata.namespace", "type"],
        (_, "Pod") => &[
            "metadata.name",
            "metadata.namespace",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
        ],
        (_, "Service") => &[
            "metadata.name",
            "metadata.namespace",
            "spec.clusterIP",
            "spec.type",
        ],
        (_, "Namespace") => &["metadata.name", "name", "status.phase"],
        (_, "Node") => &["metadata.name", "spec.unschedulable"],
        (true, _) => &["metadata.name", "metadata.namespace"],
        (false, _) => &["metadata.name"],
    }
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut inside) = (0, false);
    for (index, character) in text.char_indices() {
        match character {
            '(' => inside = true,
            ')' => inside = false,
            ',' if !inside => {
                parts.push(&text[from..index]);
                from = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn requirement_of(text: &str) -> Result<Requirement, String> {
    let text = text.trim();
    let values = |list: &str| -> Vec<String> {
        list.trim()
            .trim_start_matches('(')
            .trim_end_matches(')')
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect()
    };
    if let Some((key, list)) = text.split_once(" notin ") {
        return Ok(Requirement::NotIn(key.trim().to_owned(), values(list)));
    }
    if let Some((key, list)) = text.split_once(" in ") {
        return Ok(Requirement::In(key.trim().to_owned(), values(list)));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Requirement::NotIn(key.trim().to_owned(), values(value)));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Requirement::In(key.trim().to_owned(), values(value)));
    }
    match text.strip_prefix('!') {
        Some(key) => Ok(Requirement::Missing(key.trim().to_owned())),
        None if text.contains(char::is_whitespace) => {
            let second = text.split_whitespace().nth(1).unwrap_or_default();
            Err(format!(
                "unable to parse requirement: found '{second}', expected: in, notin, =, ==, !=, gt, lt"
            ))
        }
        None => Ok(Requirement::Exists(text.to_owned())),
    }
}
