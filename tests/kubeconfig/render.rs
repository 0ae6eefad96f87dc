//! Nodes as YAML, in one of the many ways to write the same: blocks or flow, any indentation, comments.

use crate::random::Random;

/// What is to be written.
#[derive(Clone)]
pub enum Node {
    /// A scalar or an alias, as it is written, on one line.
    Written(String),
    /// A block of text: its header and its lines.
    Block(&'static str, Vec<String>),
    List(Vec<Node>),
    /// Keys as they are written.
    Map(Vec<(String, Node)>),
    /// An anchor or a tag, and what it stands before.
    With(String, Box<Node>),
}

impl Node {
    pub fn written(text: impl Into<String>) -> Self {
        Self::Written(text.into())
    }
}

/// How a text is written.
pub struct Style {
    /// Spaces of an indentation.
    pub indent: usize,
    /// Of a thousand collections, how many are in flow style.
    pub flow: usize,
    /// Of a thousand lines, how many end in a comment.
    pub comments: usize,
    /// Lists are indented further than the keys that they belong to.
    pub deep_lists: bool,
}

/// Writes a document's root.
pub fn render(random: &mut Random, style: &Style, node: &Node) -> String {
    let mut text = String::new();
    value(random, style, node, 0, true, &mut text);
    text
}

fn end_line(random: &mut Random, style: &Style, text: &mut String) {
    if random.chance(style.comments) {
        text.push_str(random.pick(&[" # a comment", " #", "   # {[\"'&*: "]));
    }
    text.push('\n');
}

/// Writes a value after its key or `-`, which want a space; or at the start of a text.
fn value(random: &mut Random, style: &Style, node: &Node, indent: usize, bare: bool, text: &mut String) {
    let space = if bare { "" } else { " " };
    match node {
        Node::Written(written) => {
            if !written.is_empty() {
                text.push_str(space);
                text.push_str(written);
            }
            end_line(random, style, text);
        }
        Node::Block(header, lines) => {
            text.push_str(space);
            text.push_str(header);
            end_line(random, style, text);
            for line in lines {
                text.push_str(&" ".repeat(indent.max(1)));
                text.push_str(line);
                text.push('\n');
            }
        }
        Node::With(property, inner) => {
            text.push_str(space);
            text.push_str(property);
            value(random, style, inner, indent, false, text);
        }
        Node::List(items) if items.is_empty() || random.chance(style.flow) => {
            text.push_str(space);
            flow(random, node, text);
            end_line(random, style, text);
        }
        Node::Map(entries) if entries.is_empty() || random.chance(style.flow) => {
            text.push_str(space);
            flow(random, node, text);
            end_line(random, style, text);
        }
        Node::List(items) => {
            if !text.is_empty() && !text.ends_with('\n') {
                end_line(random, style, text);
            }
            for item in items {
                text.push_str(&" ".repeat(indent));
                text.push('-');
                entry(random, style, item, indent, text);
            }
        }
        Node::Map(entries) => {
            if !text.is_empty() && !text.ends_with('\n') {
                end_line(random, style, text);
            }
            map(random, style, entries, indent, text);
        }
    }
}

/// An item of a list: a map may start on the line of its `-`.
fn entry(random: &mut Random, style: &Style, item: &Node, indent: usize, text: &mut String) {
    match item {
        Node::Map(entries) if !entries.is_empty() && random.chance(800) => {
            let mut inner = String::new();
            let deeper = indent + 2;
            map(random, style, entries, deeper, &mut inner);
            text.push(' ');
            text.push_str(inner.trim_start_matches(' '));
        }
        _ => value(random, style, item, indent + style.indent, false, text),
    }
}

fn map(random: &mut Random, style: &Style, entries: &[(String, Node)], indent: usize, text: &mut String) {
    for (key, node) in entries {
        text.push_str(&" ".repeat(indent));
        if random.chance(10) {
            text.push_str("? ");
            text.push_str(key);
            text.push('\n');
            text.push_str(&" ".repeat(indent));
        } else {
            text.push_str(key);
        }
        text.push(':');
        let list = matches!(node, Node::List(_));
        let deeper = if list && !style.deep_lists {
            indent
        } else {
            indent + style.indent
        };
        value(random, style, node, deeper, false, text);
    }
}

fn flow(random: &mut Random, node: &Node, text: &mut String) {
    let comma = random.pick(&[", ", ",", " , ", ",\n    "]);
    match node {
        Node::Written(written) => text.push_str(written),
        // A block has no place here.
        Node::Block(_, lines) => {
            text.push('"');
            text.push_str(
                &lines
                    .join("\n")
                    .replace(['"', '\\', '\t'], "")
                    .replace('\n', "\\n"),
            );
            text.push('"');
        }
        Node::With(property, inner) => {
            text.push_str(property);
            text.push(' ');
            flow(random, inner, text);
        }
        Node::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(comma);
                }
                flow(random, item, text);
            }
            text.push_str(if items.is_empty() {
                "]"
            } else {
                random.pick(&["]", " ]", ",]"])
            });
        }
        Node::Map(entries) => {
            text.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    text.push_str(comma);
                }
                text.push_str(key);
                text.push_str(random.pick(&[": ", ": ", ": ", ":  "]));
                flow(random, value, text);
            }
            text.push_str(random.pick(&["}", " }"]));
        }
    }
}
