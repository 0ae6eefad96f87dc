//! From nodes to values, as go-yaml's `decode.go`: aliases followed, maps merged.

use std::collections::HashSet;

use super::Problem;
use super::map::{Builder, Key};
use super::nodes::{Index, NodeKind, Nodes};
use super::resolve::{Resolved, resolve};
use super::values::{Id, Stored, TextId, Tree, Value, finish};

/// Follows aliases and merges maps.
pub(super) fn unfold(nodes: Nodes) -> Result<Tree, Problem> {
    let mut unfolding = Unfolding {
        tree: Tree {
            nodes: nodes.list,
            made: Vec::new(),
            values: Vec::new(),
            root: Id(0),
        },
        stack: Vec::new(),
        builders: Vec::new(),
        outcome: None,
        followed: HashSet::new(),
        // The document itself is counted.
        count: 1,
        aliased_count: 0,
        aliased_bytes: 0,
    };
    match nodes.root {
        Some(root) => unfolding.run(root)?,
        None => unfolding.tree.values.push(Value {
            stored: Stored::Null,
            line: 0,
        }),
    }
    finish(&mut unfolding.tree)?;
    Ok(unfolding.tree)
}

/// Bytes of text that stand in a document by way of aliases. kubectl copies without a limit; a
/// kubeconfig that comes near this one is an attack.
const MOST_ALIASED_BYTES: usize = 64 << 20;

/// What is being unfolded.
enum Frame {
    List {
        node: Index,
        next: usize,
        items: Vec<Id>,
    },
    Map {
        node: Index,
        next: usize,
        key: Option<Key>,
        /// Its entries go to the builder below.
        merged: bool,
    },
    /// The maps that `<<` lists, from the last to the first.
    Merges {
        node: Index,
        left: usize,
    },
    Alias {
        node: Index,
    },
}

/// What a frame comes to.
#[derive(Clone, Copy)]
enum Outcome {
    Value(Id),
    Merged,
}

struct Unfolding {
    tree: Tree,
    stack: Vec<Frame>,
    /// The maps that are being made.
    builders: Vec<Builder>,
    outcome: Option<Outcome>,
    /// Aliases that are being followed.
    followed: HashSet<Index>,
    count: usize,
    aliased_count: usize,
    aliased_bytes: usize,
}

impl Unfolding {
    fn run(&mut self, root: Index) -> Result<(), Problem> {
        self.enter(root, false)?;
        loop {
            let outcome = self.outcome.take();
            match (self.stack.pop(), outcome) {
                (Some(frame), outcome) => self.go_on(frame, outcome)?,
                (None, Some(Outcome::Value(id))) => {
                    self.tree.root = id;
                    return Ok(());
                }
                (None, _) => return Ok(()),
            }
        }
    }

    fn problem<T>(&self, node: Index, what: &'static str) -> Result<T, Problem> {
        Err(Problem::on(self.tree.nodes[node].line, what))
    }

    fn push(&mut self, stored: Stored, node: Index) {
        let id = Id(self.tree.values.len());
        let line = self.tree.nodes[node].line;
        self.tree.values.push(Value { stored, line });
        self.outcome = Some(Outcome::Value(id));
    }

    /// Counts a node, and refuses a document that is made of aliases (go-yaml's measure).
    fn count(&mut self, node: Index) -> Result<(), Problem> {
        self.count += 1;
        if !self.followed.is_empty() {
            self.aliased_count += 1;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let (count, aliased) = (self.count as f64, self.aliased_count as f64);
        let allowed = match count {
            ..=400_000.0 => 0.99,
            4_000_000.0.. => 0.10,
            _ => 0.99 - 0.89 * ((count - 400_000.0) / 3_600_000.0),
        };
        if self.aliased_count > 100 && self.count > 1000 && aliased / count > allowed {
            return self.problem(node, "it unfolds to too much: most of it is aliases");
        }
        Ok(())
    }

    /// Starts on a node; with `merged`, its entries go to the map that is being made.
    fn enter(&mut self, node: Index, merged: bool) -> Result<(), Problem> {
        self.count(node)?;
        let mut node = node;
        if let NodeKind::Alias(target) = self.tree.nodes[node].kind {
            if !self.followed.insert(node) {
                return self.problem(node, "an anchor's value holds itself");
            }
            self.stack.push(Frame::Alias { node });
            self.count(target)?;
            node = target;
        }
        match &self.tree.nodes[node].kind {
            NodeKind::Scalar { text, tag, implicit } => {
                let resolved = resolve(text, tag, *implicit);
                if !self.followed.is_empty() {
                    self.aliased_bytes += text.len();
                }
                if self.aliased_bytes > MOST_ALIASED_BYTES {
                    return self.problem(node, "it unfolds to too much: most of it is aliases");
                }
                let stored = match resolved {
                    Err(what) => return self.problem(node, what),
                    Ok(Resolved::Null) => Stored::Null,
                    Ok(Resolved::Bool(truth)) => Stored::Bool(truth),
                    Ok(Resolved::Int(number)) => Stored::Int(number),
                    Ok(Resolved::Uint(number)) => Stored::Uint(number),
                    Ok(Resolved::Float(number)) => Stored::Float(number),
                    Ok(Resolved::Text) => Stored::Text(TextId::Node(node)),
                    Ok(Resolved::Decoded(text)) => {
                        self.tree.made.push(text);
                        Stored::Text(TextId::Made(self.tree.made.len() - 1))
                    }
                };
                self.push(stored, node);
            }
            NodeKind::Sequence(children) => {
                let items = Vec::with_capacity(children.len());
                self.stack.push(Frame::List { node, next: 0, items });
            }
            NodeKind::Mapping(_) => {
                if !merged {
                    self.builders.push(Builder::default());
                }
                self.stack.push(Frame::Map {
                    node,
                    next: 0,
                    key: None,
                    merged,
                });
            }
            NodeKind::Alias(_) => return self.problem(node, "an alias names an alias"),
        }
        Ok(())
    }

    fn child(&self, node: Index, index: usize) -> Option<Index> {
        match &self.tree.nodes[node].kind {
            NodeKind::Sequence(children) | NodeKind::Mapping(children) => children.get(index).copied(),
            NodeKind::Scalar { .. } | NodeKind::Alias(_) => None,
        }
    }

    /// Goes on with a frame: with what it waited for, or from its start.
    fn go_on(&mut self, frame: Frame, outcome: Option<Outcome>) -> Result<(), Problem> {
        match frame {
            Frame::Alias { node } => {
                self.followed.remove(&node);
                self.outcome = outcome;
                Ok(())
            }
            Frame::List {
                node,
                next,
                mut items,
            } => {
                if let Some(Outcome::Value(id)) = outcome {
                    items.push(id);
                }
                let Some(child) = self.child(node, next) else {
                    self.push(Stored::List(items), node);
                    return Ok(());
                };
                let next = next + 1;
                self.stack.push(Frame::List { node, next, items });
                self.enter(child, false)
            }
            Frame::Merges { node, left } => match left.checked_sub(1) {
                None => {
                    self.outcome = Some(Outcome::Merged);
                    Ok(())
                }
                Some(left) => {
                    self.stack.push(Frame::Merges { node, left });
                    match self.child(node, left) {
                        Some(child) => self.merge(child),
                        None => Ok(()),
                    }
                }
            },
            Frame::Map {
                node,
                next,
                key,
                merged,
            } => self.go_on_with_map(node, next, key, merged, outcome),
        }
    }

    fn go_on_with_map(
        &mut self,
        node: Index,
        next: usize,
        key: Option<Key>,
        merged: bool,
        outcome: Option<Outcome>,
    ) -> Result<(), Problem> {
        // The frame waits again, for a key or for its value.
        let wait = |next, key| Frame::Map {
            node,
            next,
            key,
            merged,
        };
        match (key, outcome) {
            (None, Some(Outcome::Value(id))) => {
                let key = match self.tree.values[id.0].stored {
                    Stored::Null => Key::Null,
                    Stored::Bool(truth) => Key::Bool(truth),
                    Stored::Int(number) => Key::Int(number),
                    Stored::Uint(number) => Key::Uint(number),
                    Stored::Float(number) => Key::Float(number),
                    Stored::Text(text) => Key::Text(text),
                    Stored::List(_) | Stored::Map(_) => {
                        return self.problem(node, "a list or a map cannot be a key");
                    }
                };
                self.stack.push(wait(next + 1, Some(key)));
                match self.child(node, next) {
                    Some(value) => self.enter(value, false),
                    None => self.problem(node, "a value is missing"),
                }
            }
            (Some(key), Some(Outcome::Value(id))) => {
                let tree = &self.tree;
                if let Some(builder) = self.builders.last_mut() {
                    builder.set(key, id, |id| tree.text(id));
                }
                self.stack.push(wait(next, None));
                Ok(())
            }
            (_, None | Some(Outcome::Merged)) => {
                let Some(child) = self.child(node, next) else {
                    if merged {
                        self.outcome = Some(Outcome::Merged);
                    } else {
                        let builder = self.builders.pop().unwrap_or_default();
                        self.push(Stored::Map(builder.entries()), node);
                    }
                    return Ok(());
                };
                if self.tree.nodes[child].is_merge() {
                    self.stack.push(wait(next + 2, None));
                    return match self.child(node, next + 1) {
                        Some(value) => match &self.tree.nodes[value].kind {
                            NodeKind::Sequence(children) => {
                                let left = children.len();
                                self.stack.push(Frame::Merges { node: value, left });
                                Ok(())
                            }
                            _ => self.merge(value),
                        },
                        None => self.problem(node, "a value is missing"),
                    };
                }
                self.stack.push(wait(next + 1, None));
                self.enter(child, false)
            }
        }
    }

    /// Merges a map into the one that is being made: its entries win over those before it.
    fn merge(&mut self, node: Index) -> Result<(), Problem> {
        let target = match self.tree.nodes[node].kind {
            NodeKind::Alias(target) => target,
            _ => node,
        };
        if !matches!(self.tree.nodes[target].kind, NodeKind::Mapping(_)) {
            return self.problem(node, "`<<` takes a map or a list of maps");
        }
        self.enter(node, true)
    }
}
