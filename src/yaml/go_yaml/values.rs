//! Values as JSON has them, after the conversion in `sigs.k8s.io/yaml`: keys are texts.

use std::cmp::Ordering;

use super::map::Key;
use super::nodes::{Index, Node};
use super::{Problem, number};

/// Where a value is in a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub(super) usize);

/// Where a text is in a [`Tree`].
#[derive(Debug, Clone, Copy)]
pub(super) enum TextId {
    /// A scalar's own.
    Node(Index),
    /// One that stands nowhere as it is.
    Made(usize),
}

/// What JSON can say.
#[derive(Debug)]
pub enum Kind<'tree> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Int(i64),
    /// A number that is too large for [`Self::Int`].
    Uint(u64),
    /// A number, finite.
    Float(f64),
    /// A text.
    Text(&'tree str),
    /// A list.
    List(&'tree [Id]),
    /// A map.
    Map(Map<'tree>),
}

/// A value as it is kept.
pub(super) enum Stored {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(TextId),
    List(Vec<Id>),
    Map(Vec<(Key, Id)>),
}

/// A value, and the line that it starts on, from 0.
pub(super) struct Value {
    pub stored: Stored,
    pub line: usize,
}

/// A document as JSON has it. It may hold secrets, so it is not `Debug`.
pub struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) made: Vec<String>,
    pub(super) values: Vec<Value>,
    pub(super) root: Id,
}

/// A map's entries, in the order of the bytes of their keys; each key once.
#[derive(Clone, Copy)]
pub struct Map<'tree> {
    tree: &'tree Tree,
    entries: &'tree [(Key, Id)],
}

/// Shows how many entries, not what is in them.
impl std::fmt::Debug for Map<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Map({})", self.entries.len())
    }
}

impl<'tree> Map<'tree> {
    /// The entries.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'tree str, Id)> + use<'tree> {
        let tree = self.tree;
        self.entries
            .iter()
            .map(move |(key, value)| (tree.key(key), *value))
    }

    /// The value of a key.
    pub fn get(self, name: &str) -> Option<Id> {
        let found = self
            .entries
            .binary_search_by(|(key, _)| self.tree.key(key).as_bytes().cmp(name.as_bytes()));
        found.ok().map(|index| self.entries[index].1)
    }
}

impl Tree {
    /// The value that holds all others.
    pub fn root(&self) -> Id {
        self.root
    }

    /// The line that a value starts on, from 1.
    pub fn line(&self, id: Id) -> usize {
        self.values[id.0].line + 1
    }

    /// What a value is.
    pub fn kind(&self, id: Id) -> Kind<'_> {
        match &self.values[id.0].stored {
            Stored::Null => Kind::Null,
            Stored::Bool(truth) => Kind::Bool(*truth),
            Stored::Int(number) => Kind::Int(*number),
            Stored::Uint(number) => Kind::Uint(*number),
            Stored::Float(number) => Kind::Float(*number),
            Stored::Text(id) => Kind::Text(self.text(*id)),
            Stored::List(items) => Kind::List(items),
            Stored::Map(entries) => Kind::Map(Map { tree: self, entries }),
        }
    }

    pub(super) fn text(&self, id: TextId) -> &str {
        match id {
            TextId::Node(index) => self.nodes[index].text(),
            TextId::Made(index) => &self.made[index],
        }
    }

    fn key(&self, key: &Key) -> &str {
        match key {
            Key::Text(id) => self.text(*id),
            _ => "",
        }
    }
}

/// Lists and maps within another that `encoding/json` takes.
const DEEPEST: usize = 10_000;

/// Makes texts of keys and puts them in order, and refuses what JSON cannot say. Only what is left in
/// the document counts: what a key of the same name has replaced may be anything.
pub(super) fn finish(tree: &mut Tree) -> Result<(), Problem> {
    let mut left = vec![(tree.root, 1)];
    while let Some((id, depth)) = left.pop() {
        let line = tree.values[id.0].line;
        let deep = |children: usize| {
            if depth > DEEPEST {
                return Err(Problem::on(line, "it is nested too deeply"));
            }
            Ok(children)
        };
        match &mut tree.values[id.0].stored {
            Stored::Float(number) if !number.is_finite() => {
                return Err(Problem::on(line, "a number is not finite"));
            }
            Stored::List(items) => {
                deep(items.len())?;
                left.extend(items.iter().map(|item| (*item, depth + 1)));
            }
            Stored::Map(entries) => {
                deep(entries.len())?;
                let mut entries = std::mem::take(entries);
                for (key, value) in &mut entries {
                    let text = match key {
                        Key::Text(_) => None,
                        Key::Int(number) => Some(number.to_string()),
                        Key::Float(number) => Some(number::key(*number)),
                        Key::Bool(truth) => Some(truth.to_string()),
                        Key::Null | Key::Uint(_) => {
                            let line = tree.values[value.0].line;
                            return Err(Problem::on(line, "a key is neither a text nor a usual number"));
                        }
                    };
                    if let Some(text) = text {
                        tree.made.push(text);
                        *key = Key::Text(TextId::Made(tree.made.len() - 1));
                    }
                    left.push((*value, depth + 1));
                }
                // Of a number and a text that are the same key, the later one stays.
                entries.reverse();
                entries.sort_by(|(one, _), (other, _)| order(tree, one, other));
                entries.dedup_by(|(one, _), (other, _)| order(tree, one, other) == Ordering::Equal);
                tree.values[id.0].stored = Stored::Map(entries);
            }
            _ => {}
        }
    }
    Ok(())
}

fn order(tree: &Tree, one: &Key, other: &Key) -> Ordering {
    tree.key(one).as_bytes().cmp(tree.key(other).as_bytes())
}
