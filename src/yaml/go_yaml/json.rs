//! Values as JSON, byte for byte as Go's `encoding/json` writes them, without spaces.

use std::fmt::Write as _;

use super::number;
use super::values::{Id, Kind, Tree};

/// What is left to be written, the next one last.
enum Left<'tree> {
    Value(Id),
    Key(&'tree str),
    Mark(char),
}

/// Writes a value as JSON.
pub fn write_json(tree: &Tree, id: Id, json: &mut String) {
    let mut left = vec![Left::Value(id)];
    while let Some(next) = left.pop() {
        let id = match next {
            Left::Mark(mark) => {
                json.push(mark);
                continue;
            }
            Left::Key(key) => {
                push_text(key, json);
                json.push(':');
                continue;
            }
            Left::Value(id) => id,
        };
        match tree.kind(id) {
            Kind::Null => json.push_str("null"),
            Kind::Bool(truth) => json.push_str(if truth { "true" } else { "false" }),
            Kind::Int(number) => _ = write!(json, "{number}"),
            Kind::Uint(number) => _ = write!(json, "{number}"),
            Kind::Float(number) => json.push_str(&number::json(number)),
            Kind::Text(text) => push_text(text, json),
            Kind::List(items) => {
                json.push('[');
                left.push(Left::Mark(']'));
                for (index, item) in items.iter().enumerate().rev() {
                    left.push(Left::Value(*item));
                    if index > 0 {
                        left.push(Left::Mark(','));
                    }
                }
            }
            Kind::Map(map) => {
                json.push('{');
                left.push(Left::Mark('}'));
                let entries: Vec<(&str, Id)> = map.iter().collect();
                for (index, (key, value)) in entries.into_iter().enumerate().rev() {
                    left.push(Left::Value(value));
                    left.push(Left::Key(key));
                    if index > 0 {
                        left.push(Left::Mark(','));
                    }
                }
            }
        }
    }
}

/// Writes a text as JSON.
pub fn push_text(text: &str, json: &mut String) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{8}' => json.push_str("\\b"),
            '\u{C}' => json.push_str("\\f"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\0'..='\u{1F}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}
