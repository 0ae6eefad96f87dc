//! From events to nodes, as go-yaml's `decode.go`: a text's first document, its aliases not followed.

use std::collections::HashMap;

use super::parser::{Event, Parser};
use super::resolve::MERGE;
use super::{Mark, Problem};

/// Where a node is in [`Nodes`].
pub(super) type Index = usize;

/// A node, and the line that it starts on, from 0.
pub(super) struct Node {
    pub kind: NodeKind,
    pub line: usize,
}

/// The kinds of nodes.
pub(super) enum NodeKind {
    Scalar {
        text: String,
        /// Empty where there is none.
        tag: String,
        implicit: bool,
    },
    /// The node that an anchor is on.
    Alias(Index),
    Sequence(Vec<Index>),
    /// A key, its value, the next key, …
    Mapping(Vec<Index>),
}

impl Node {
    /// A scalar's text; empty for others.
    pub fn text(&self) -> &str {
        match &self.kind {
            NodeKind::Scalar { text, .. } => text,
            NodeKind::Alias(_) | NodeKind::Sequence(_) | NodeKind::Mapping(_) => "",
        }
    }

    /// Whether it is the key of a map to be merged in.
    pub fn is_merge(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar { text, tag, implicit }
            if text == "<<" && (*implicit || tag == MERGE))
    }
}

/// A document.
#[derive(Default)]
pub(super) struct Nodes {
    pub list: Vec<Node>,
    /// Nothing where the text holds no document.
    pub root: Option<Index>,
}

/// Reads the first document of a text.
pub(super) fn compose(bytes: &[u8]) -> Result<Nodes, Problem> {
    let mut parser = Parser::new(bytes);
    let mut nodes = Nodes::default();
    // The start of the stream.
    parser.next()?;
    if let (Event::StreamEnd, _) = parser.next()? {
        return Ok(nodes);
    }
    let mut anchors: HashMap<String, Index> = HashMap::new();
    // The collections that have not ended.
    let mut open: Vec<Index> = Vec::new();
    loop {
        let (event, mark) = parser.next()?;
        let index = nodes.list.len();
        let (kind, anchor) = match event {
            Event::Alias { anchor } => match anchors.get(&anchor) {
                Some(target) => (NodeKind::Alias(*target), None),
                None => return Err(Problem::at(mark, "an alias names an anchor that is not there")),
            },
            Event::Scalar {
                properties,
                text,
                implicit,
            } => {
                let tag = properties.tag;
                (NodeKind::Scalar { text, tag, implicit }, properties.anchor)
            }
            Event::SequenceStart(properties) => (NodeKind::Sequence(Vec::new()), properties.anchor),
            Event::MappingStart(properties) => (NodeKind::Mapping(Vec::new()), properties.anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                if open.is_empty() {
                    break;
                }
                continue;
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart | Event::DocumentEnd => {
                return Err(unexpected(mark));
            }
        };
        if let Some(anchor) = anchor {
            anchors.insert(anchor, index);
        }
        let nests = matches!(kind, NodeKind::Sequence(_) | NodeKind::Mapping(_));
        nodes.list.push(Node {
            kind,
            line: mark.line,
        });
        match open.last().map(|parent| &mut nodes.list[*parent].kind) {
            Some(NodeKind::Sequence(children) | NodeKind::Mapping(children)) => children.push(index),
            _ => nodes.root = Some(index),
        }
        if nests {
            open.push(index);
        } else if open.is_empty() {
            break;
        }
    }
    // What follows the document is looked at as far as it takes to know that it ends.
    match parser.next()? {
        (Event::DocumentEnd, _) => Ok(nodes),
        (_, mark) => Err(unexpected(mark)),
    }
}

fn unexpected(mark: Mark) -> Problem {
    Problem::at(mark, "the text goes on where it cannot")
}
