//! One object as it is kept: its text, written once, of which every answer is made by copying.
//!
//! A thousand clusters that differ in a name and an address share their objects' texts: a text may
//! hold places (`@@name@@`) that each cluster fills with its own words while it answers.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::resource::Resource;
use crate::selector::Selectable;

/// What stands around a place in a text.
const MARK: &str = "@@";

/// What a cluster fills the places of shared texts with: words as they stand inside of a JSON
/// string.
#[derive(Debug, Default)]
pub struct Words(Vec<(&'static str, String)>);

impl Words {
    /// The words of a cluster, by the names of their places.
    pub fn new(words: Vec<(&'static str, String)>) -> Self {
        Self(words)
    }

    fn of(&self, place: &str) -> &str {
        self.0
            .iter()
            .find(|(name, _)| *name == place)
            .map_or("", |(_, word)| word.as_str())
    }

    /// A text with its places filled.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        for (index, part) in text.split(MARK).enumerate() {
            filled.push_str(if index % 2 == 0 { part } else { self.of(part) });
        }
        filled
    }
}

/// A part of a text.
#[derive(Debug, Clone)]
enum Part {
    Text(Bytes),
    Place(Box<str>),
}

/// A text that is written into answers.
#[derive(Debug, Clone)]
struct Text(Arc<[Part]>);

impl Text {
    fn new(text: String) -> Self {
        if !text.contains(MARK) {
            return Self(Arc::new([Part::Text(Bytes::from(text))]));
        }
        let whole = Bytes::from(text.clone());
        let mut parts = Vec::new();
        let mut from = 0;
        for (index, part) in text.split(MARK).enumerate() {
            let to = from + part.len();
            if index % 2 == 1 {
                parts.push(Part::Place(part.into()));
            } else if !part.is_empty() {
                parts.push(Part::Text(whole.slice(from..to)));
            }
            from = to + MARK.len();
        }
        Self(parts.into())
    }

    fn write(&self, words: &Words, into: &mut Vec<u8>) {
        for part in self.0.iter() {
            match part {
                Part::Text(text) => into.extend_from_slice(text),
                Part::Place(place) => into.extend_from_slice(words.of(place).as_bytes()),
            }
        }
    }
}

/// One object.
#[derive(Debug)]
pub struct Item {
    /// `"metadata":{…}`, and what else the object has, without braces.
    metadata: Text,
    rest: Text,
    labels: Box<[(Box<str>, Box<str>)]>,
    name: Box<str>,
    namespace: Box<str>,
}

impl Item {
    /// Keeps an object.
    pub fn new(object: &Value) -> Self {
        let mut rest = String::new();
        for (field, value) in object.as_object().into_iter().flatten() {
            if !matches!(field.as_str(), "apiVersion" | "kind" | "metadata") {
                rest.push_str(&format!(",\"{field}\":{value}"));
            }
        }
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
        Self {
            metadata: Text::new(format!("\"metadata\":{}", object["metadata"])),
            rest: Text::new(rest),
            labels: labels
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.as_str().into(), value.as_str().unwrap_or_default().into()))
                .collect(),
            name: text("/metadata/name").into(),
            namespace: text("/metadata/namespace").into(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether it has a label.
    pub fn has_label(&self, key: &str) -> bool {
        self.labels.iter().any(|(label, _)| **label == *key)
    }

    /// Writes it as it stands alone, or in a list of a custom kind: with its kind.
    pub fn write_whole(&self, resource: &Resource, words: &Words, into: &mut Vec<u8>) {
        let head = format!(
            "{{\"kind\":\"{}\",\"apiVersion\":\"{}\",",
            resource.kind,
            resource.api_version()
        );
        into.extend_from_slice(head.as_bytes());
        self.metadata.write(words, into);
        self.rest.write(words, into);
        into.push(b'}');
    }

    /// Writes it as it stands in a list of a built-in kind: without its kind.
    pub fn write_listed(&self, words: &Words, into: &mut Vec<u8>) {
        into.push(b'{');
        self.metadata.write(words, into);
        self.rest.write(words, into);
        into.push(b'}');
    }

    /// Writes its metadata alone, as a `PartialObjectMetadata`.
    pub fn write_metadata(&self, words: &Words, into: &mut Vec<u8>) {
        into.extend_from_slice(b"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",");
        self.metadata.write(words, into);
        into.push(b'}');
    }

    /// The object as data.
    pub fn value(&self, resource: &Resource, words: &Words) -> Value {
        let mut text = Vec::new();
        self.write_whole(resource, words, &mut text);
        serde_json::from_slice(&text).unwrap_or(Value::Null)
    }

    /// The object as a cluster with these words has it, for selectors.
    pub fn seen_by<'item>(&'item self, resource: &'item Resource, words: &'item Words) -> Seen<'item> {
        Seen {
            item: self,
            resource,
            words,
        }
    }
}

/// An object in the eyes of one cluster.
pub struct Seen<'item> {
    item: &'item Item,
    resource: &'item Resource,
    words: &'item Words,
}

impl Selectable for Seen<'_> {
    fn label(&self, key: &str) -> Option<String> {
        let (_, value) = self.item.labels.iter().find(|(label, _)| **label == *key)?;
        Some(self.words.fill(value))
    }

    fn field(&self, path: &str) -> String {
        match path {
            "metadata.name" => self.item.name.to_string(),
            "metadata.namespace" => self.item.namespace.to_string(),
            _ => {
                let pointer = format!("/{}", path.replace('.', "/"));
                let value = self.item.value(self.resource, self.words);
                match value.pointer(&pointer) {
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => String::new(),
                }
            }
        }
    }
}
