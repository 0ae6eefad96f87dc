//! Documents made wrong: by their structure (a field dropped, doubled, of another type, one too
//! many, its value under its neighbour's name) and by their bytes (cut off, flipped, spliced).

use serde_json::{Value, json};

use crate::chance::Chance;

/// A document made wrong once or twice, as bytes: JSON or YAML, half of them with wrong bytes too.
/// `public` says which fields may be shown: no value of another comes to stand under its name.
pub fn wrong_text(document: &Value, chance: &mut Chance, public: &dyn Fn(&str) -> bool) -> Vec<u8> {
    let mut document = document.clone();
    let by_bytes = chance.once_in(2);
    if !by_bytes || chance.once_in(3) {
        for _ in 0..=chance.below(2) {
            make_wrong(&mut document, chance, public);
        }
    }
    let text = match chance.below(4) {
        0 => document.to_string(),
        1 => serde_json::to_string_pretty(&document).expect("a value is JSON"),
        _ => stolos::yaml::to_string(&document).expect("a value is YAML"),
    };
    let mut bytes = text.into_bytes();
    if chance.once_in(20) {
        bytes = doubled_line(&bytes, chance);
    }
    if by_bytes {
        for _ in 0..=chance.below(3) {
            make_bytes_wrong(&mut bytes, chance);
        }
    }
    bytes
}

/// Makes one node of a document wrong.
pub fn make_wrong(document: &mut Value, chance: &mut Chance, public: &dyn Fn(&str) -> bool) {
    let mut pointers = Vec::new();
    all_pointers(document, &mut String::new(), &mut pointers);
    let pointer = chance.one(&pointers).clone();
    if chance.once_in(3) && !pointer.is_empty() {
        return in_parent(document, &pointer, chance, public);
    }
    let Some(node) = document.pointer_mut(&pointer) else {
        return;
    };
    let value = node.take();
    *node = match chance.below(14) {
        0 => Value::Null,
        1 => json!([value]),
        2 => json!({"value": value}),
        // A text where a field's name belongs.
        3 => match value {
            Value::String(text) => json!({text: null}),
            other => json!([other, 1]),
        },
        4 => json!(chance.below(100_000)),
        5 => json!(chance.once_in(2)),
        6 => json!(0.5),
        7 => json!(""),
        8 => Value::String(match value {
            Value::String(text) => format!("\n{text}\u{1b}[31m\u{0}{text}"),
            other => other.to_string(),
        }),
        // A URL's end would become its host, which is shown.
        9 if value.as_str().is_some_and(|text| text.contains("://")) => json!("https://"),
        9 => Value::String(value.as_str().unwrap_or_default().chars().rev().collect()),
        10 => match value {
            Value::String(text) => {
                let cut = chance.below(text.chars().count() + 1);
                Value::String(text.chars().take(cut).collect())
            }
            Value::Array(mut items) if !items.is_empty() => {
                let item = chance.one(&items).clone();
                items.push(item);
                Value::Array(items)
            }
            other => json!([[[other]]]),
        },
        11 => match value {
            Value::Object(mut map) => {
                map.insert("unheard-of".to_owned(), Value::Object(map.clone()));
                Value::Object(map)
            }
            other => other,
        },
        12 => json!({}),
        _ => json!([]),
    };
}

/// Drops a field, or writes its value under another name.
fn in_parent(document: &mut Value, pointer: &str, chance: &mut Chance, public: &dyn Fn(&str) -> bool) {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        return;
    };
    match document.pointer_mut(parent) {
        Some(Value::Array(items)) if !items.is_empty() => {
            let at = chance.below(items.len());
            items.remove(at);
        }
        Some(Value::Object(map)) => {
            let name = last.replace("~1", "/").replace("~0", "~");
            let Some(value) = map.remove(&name) else {
                return;
            };
            let others: Vec<String> = map.keys().filter(|other| !public(other)).cloned().collect();
            let renamed = match chance.below(5) {
                0 => return,
                1 => name.strip_suffix("-data").unwrap_or("tokenFile").to_owned(),
                2 => format!("{name}-data"),
                3 => format!("{name} {}", value.as_str().unwrap_or_default()),
                _ => match others.as_slice() {
                    [] => return,
                    others => chance.one(others).clone(),
                },
            };
            map.insert(renamed, value);
        }
        _ => {}
    }
}

fn all_pointers(value: &Value, at: &mut String, pointers: &mut Vec<String>) {
    pointers.push(at.clone());
    let length = at.len();
    let mut below = |name: &str, value: &Value| {
        at.push('/');
        at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        all_pointers(value, at, pointers);
        at.truncate(length);
    };
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                below(&number.to_string(), item);
            }
        }
        Value::Object(map) => {
            for (name, value) in map {
                below(name, value);
            }
        }
        _ => {}
    }
}

/// A line that stands twice: in YAML, a field that is given twice.
fn doubled_line(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let at = chance.below(lines.len());
    if let Some(line) = lines.get(at).copied() {
        lines.insert(at, line);
    }
    lines.concat()
}

/// What breaks texts: YAML's and JSON's own signs, controls, what is no UTF-8, and far too much.
const SPLICES: [&[u8]; 30] = [
    b"\t",
    b"\n",
    b"\r",
    b"\0",
    b"\x1b[31m",
    b"\xff",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b":",
    b": ",
    b"- ",
    b"\n---\n",
    b"\n...\n",
    b"&a ",
    b"*a",
    b"!!binary ",
    b"!tag ",
    b"<<: ",
    b"# ",
    b"%YAML 9\n",
    b"| ",
    b"\\u12",
    b"? ",
];

/// Makes bytes wrong once.
pub fn make_bytes_wrong(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    match chance.below(8) {
        0 => bytes.truncate(at),
        1 => {
            bytes.drain(..at);
        }
        2 | 3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        4 => {
            let end = (at + 1 + chance.below(12)).min(bytes.len());
            bytes.drain(at.min(end)..end);
        }
        5 => {
            let end = (at + chance.below(200)).min(bytes.len());
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        _ => {
            let splice = *chance.one(&SPLICES);
            bytes.splice(at..at, splice.iter().copied());
        }
    }
}
