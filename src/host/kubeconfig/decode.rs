//! From YAML's values to a kubeconfig's fields, by the rules of Go's `encoding/json` with exact names
//! (`sigs.k8s.io/json`), which kubectl decodes with: null leaves a field as it is, unknown fields are
//! passed over, and everything else has to be of the field's type.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::yaml::YamlError;
use crate::yaml::go_yaml::{BASE64, Id, Kind, Map, Tree, write_json};

/// A value and the way to it, which an error gives.
pub(super) struct Node<'tree> {
    tree: &'tree Tree,
    id: Id,
    parent: Option<&'tree Node<'tree>>,
    step: Step,
}

/// From a value to one within it.
#[derive(Clone, Copy)]
enum Step {
    Root,
    Field(&'static str),
    Index(usize),
    /// An entry whose key is the user's, and is not repeated.
    Entry,
}

type Result<T> = std::result::Result<T, YamlError>;

impl<'tree> Node<'tree> {
    pub fn root(tree: &'tree Tree) -> Self {
        Self {
            tree,
            id: tree.root(),
            parent: None,
            step: Step::Root,
        }
    }

    fn child(&'tree self, step: Step, id: Id) -> Self {
        Self {
            tree: self.tree,
            id,
            parent: Some(self),
            step,
        }
    }

    /// A field that has been found.
    pub fn field(&'tree self, name: &'static str, id: Id) -> Self {
        self.child(Step::Field(name), id)
    }

    pub fn kind(&self) -> Kind<'tree> {
        self.tree.kind(self.id)
    }

    pub fn line(&self) -> usize {
        self.tree.line(self.id)
    }

    /// The path to it: `users[0].user.token`.
    pub fn path(&self) -> String {
        let mut steps = Vec::new();
        let mut node = Some(self);
        while let Some(at) = node {
            steps.push(at.step);
            node = at.parent;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Root => {}
                Step::Index(index) => _ = write!(path, "[{index}]"),
                Step::Field(_) | Step::Entry => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(if let Step::Field(name) = step { name } else { "*" });
                }
            }
        }
        if path.is_empty() { ".".to_owned() } else { path }
    }

    pub fn error(&self, expected: &'static str) -> YamlError {
        YamlError::Field {
            path: self.path(),
            line: self.line(),
            expected,
        }
    }

    /// The value as JSON.
    pub fn json(&self) -> String {
        let mut json = String::new();
        write_json(self.tree, self.id, &mut json);
        json
    }

    /// The items of a list; nothing for null.
    pub fn list<T>(&self, item: impl Fn(&Node<'_>) -> Result<T>) -> Result<Option<Vec<T>>> {
        match self.kind() {
            Kind::Null => Ok(None),
            Kind::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, id)| item(&self.child(Step::Index(index), *id)))
                .collect::<Result<Vec<T>>>()
                .map(Some),
            _ => Err(self.error("a list")),
        }
    }

    /// The entries of a map whose keys are the user's; nothing for null.
    pub fn entries<T>(&self, value: impl Fn(&Node<'_>) -> Result<T>) -> Result<Option<BTreeMap<String, T>>> {
        let Some(map) = self.fields()?.map else {
            return Ok(None);
        };
        map.iter()
            .map(|(key, id)| Ok((key.to_owned(), value(&self.child(Step::Entry, id))?)))
            .collect::<Result<BTreeMap<String, T>>>()
            .map(Some)
    }

    /// The fields of a map; none for null.
    pub fn fields(&self) -> Result<Fields<'_>> {
        let map = match self.kind() {
            Kind::Null => None,
            Kind::Map(map) => Some(map),
            _ => return Err(self.error("a map")),
        };
        Ok(Fields { node: self, map })
    }
}

/// A text; empty for null.
pub(super) fn text(node: &Node<'_>) -> Result<String> {
    match node.kind() {
        Kind::Null => Ok(String::new()),
        Kind::Text(text) => Ok(text.to_owned()),
        _ => Err(node.error("a text (write numbers and the like in quotes)")),
    }
}

fn truth(node: &Node<'_>) -> Result<bool> {
    match node.kind() {
        Kind::Null => Ok(false),
        Kind::Bool(truth) => Ok(truth),
        _ => Err(node.error("`true` or `false`")),
    }
}

/// Bytes, as base64: what is written is base64, or a list of numbers.
fn bytes(node: &Node<'_>) -> Result<String> {
    match node.kind() {
        Kind::Null => Ok(String::new()),
        Kind::Text(text) if STANDARD.decode(text).is_ok() => Ok(text.to_owned()),
        Kind::Text(text) => {
            let compact = text.replace(['\r', '\n'], "");
            let bytes = BASE64.decode(&compact).map_err(|_| node.error("base64"))?;
            Ok(BASE64.encode(bytes))
        }
        Kind::List(_) => {
            let bytes = node.list(byte)?.unwrap_or_default();
            Ok(BASE64.encode(bytes))
        }
        _ => Err(node.error("base64")),
    }
}

fn byte(node: &Node<'_>) -> Result<u8> {
    let byte = match node.kind() {
        Kind::Null => Some(0),
        Kind::Int(number) => u8::try_from(number).ok(),
        // As JSON a whole number is one, however it was written.
        Kind::Float(_) => node.json().parse().ok(),
        _ => None,
    };
    byte.ok_or_else(|| node.error("a byte"))
}

/// The fields of a map. One that is not there is empty.
pub(super) struct Fields<'tree> {
    node: &'tree Node<'tree>,
    pub map: Option<Map<'tree>>,
}

impl Fields<'_> {
    /// Decodes a field; its default where it is not there.
    pub fn get<T: Default>(
        &self,
        name: &'static str,
        decode: impl FnOnce(&Node<'_>) -> Result<T>,
    ) -> Result<T> {
        match self.map.and_then(|map| map.get(name)) {
            Some(id) => decode(&self.node.child(Step::Field(name), id)),
            None => Ok(T::default()),
        }
    }

    pub fn text(&self, name: &'static str) -> Result<String> {
        self.get(name, text)
    }

    pub fn truth(&self, name: &'static str) -> Result<bool> {
        self.get(name, truth)
    }

    pub fn bytes(&self, name: &'static str) -> Result<String> {
        self.get(name, bytes)
    }

    pub fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>> {
        self.list(name, text)
    }

    pub fn list<T>(
        &self,
        name: &'static str,
        item: impl Fn(&Node<'_>) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        self.get(name, |node| node.list(item))
    }
}
