//! What is compared of two answers, and what may differ, each with its reason.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use serde_json::Value;

/// A request as it is asked of both servers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    pub method: String,
    pub target: String,
    pub accept: String,
    pub content_type: String,
    pub body: Bytes,
    /// The `User-Agent`, of which a server makes a field manager where none is named.
    pub agent: String,
    /// The WebSocket protocols that are offered; empty for a plain request.
    pub upgrade: String,
}

impl Exchange {
    pub fn get(target: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            target: target.to_owned(),
            accept: "application/json".to_owned(),
            ..Self::default()
        }
    }

    pub fn write(method: &str, target: &str, body: &Value) -> Self {
        let content_type = if method == "PATCH" {
            "application/apply-patch+yaml"
        } else {
            "application/json"
        };
        Self {
            method: method.to_owned(),
            content_type: content_type.to_owned(),
            body: Bytes::from(body.to_string()),
            ..Self::get(target)
        }
    }

    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.target.contains("reviews")
    }
}

impl fmt::Display for Exchange {
    /// Without the body: it may hold a key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.target)?;
        if self.accept != "application/json" {
            write!(formatter, " (accept {})", self.accept)?;
        }
        Ok(())
    }
}

/// A place in an answer at which a real server may say more, or something of another shape, and why
/// that is no matter. `*` is any one step.
struct Difference {
    /// How the target of the request begins.
    target: &'static str,
    path: &'static [&'static str],
    /// Whether the real server may only say more.
    more: bool,
    reason: &'static str,
}

/// What is asked of the token's Secret right after it was made.
const TOKEN_SECRET: &str = "/api/v1/namespaces/istio-system/secrets?fieldSelector=";

const MAY_DIFFER: &[Difference] = &[
    Difference {
        target: "/api",
        path: &["metadata", "remainingItemCount"],
        more: false,
        reason: "the real cluster goes on writing",
    },
    Difference {
        target: TOKEN_SECRET,
        path: &["items", "*"],
        more: true,
        reason: "the real token controller fills it before it is asked for",
    },
    Difference {
        target: TOKEN_SECRET,
        path: &["items", "*", "metadata", "annotations"],
        more: true,
        reason: "the real token controller fills it before it is asked for",
    },
    Difference {
        target: TOKEN_SECRET,
        path: &["items", "*", "metadata", "managedFields"],
        more: true,
        reason: "the real token controller fills it before it is asked for",
    },
    Difference {
        target: "/apis?",
        path: &["items"],
        more: true,
        reason: "the simulator serves the kinds that this tool knows, and some more",
    },
    Difference {
        target: "/apis?",
        path: &["items", "*", "versions"],
        more: true,
        reason: "of a group the simulator serves the version that is stored",
    },
    Difference {
        target: "/api",
        path: &["items", "*", "versions", "*", "resources"],
        more: true,
        reason: "the simulator serves the kinds that this tool knows, and some more",
    },
    Difference {
        target: "/api",
        path: &["items", "*", "versions", "*", "resources", "*"],
        more: true,
        reason: "short names, categories and subresources are for people",
    },
];

/// Lists to which a real cluster adds by itself all the time.
const RESTLESS: [&str; 2] = ["/events", "/leases"];

/// What may be other at a place of an answer: nothing, what only the real server says, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Allowed {
    Nothing,
    More,
    All,
}

fn allowed(target: &str, path: &[String]) -> Allowed {
    let path_alone = target.split('?').next().unwrap_or_default();
    let restless = RESTLESS.iter().any(|list| path_alone.ends_with(list));
    let begins = if target.contains('?') {
        target.to_owned()
    } else {
        format!("{target}?")
    };
    if restless && path == ["items"] {
        return Allowed::More;
    }
    let found = MAY_DIFFER.iter().find(|difference| {
        assert!(!difference.reason.is_empty());
        begins.starts_with(difference.target)
            && difference.path.len() == path.len()
            && difference
                .path
                .iter()
                .zip(path)
                .all(|(one, other)| *one == "*" || one == other)
    });
    match found {
        None => Allowed::Nothing,
        Some(difference) if difference.more => Allowed::More,
        Some(_) => Allowed::All,
    }
}

/// The kind of a value, in a word.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// How a thing in a list is called, if it has a name: things are compared with their namesakes.
fn called(value: &Value) -> Option<String> {
    if value["manager"].is_string() {
        return Some(format!(
            "{} {} {}",
            value["manager"], value["operation"], value["subresource"]
        ));
    }
    let names = ["/metadata/name", "/name", "/resource", "/version"];
    let name = names.iter().find_map(|name| value.pointer(name))?;
    let namespace = value.pointer("/metadata/namespace").and_then(Value::as_str);
    Some(format!("{} {name}", namespace.unwrap_or_default()))
}

/// Every place at which the shapes of two answers to a target differ.
pub fn differences(target: &str, simulated: &Value, real: &Value) -> Vec<String> {
    let mut comparison = Comparison {
        target,
        path: Vec::new(),
        found: Vec::new(),
    };
    comparison.compare(simulated, real);
    comparison.found
}

/// Every place at which an object of the simulator's own has what the real one does not have, or has
/// in another shape. Marks of whoever made them are left out: their makers differ.
pub fn only_simulated(simulated: &Value, real: &Value) -> Vec<String> {
    let mut unmarked = [simulated.clone(), real.clone()];
    for object in &mut unmarked {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            for field in ["labels", "annotations", "managedFields"] {
                metadata.remove(field);
            }
        }
    }
    let mut found = Vec::new();
    contained(&unmarked[0], &unmarked[1], "", &mut found);
    found
}

/// Whether whatever the one has, the other has in the same shape; of lists, some thing of the other's.
fn contained(simulated: &Value, real: &Value, path: &str, found: &mut Vec<String>) {
    match (simulated, real) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                let path = format!("{path}.{key}");
                match other.get(key) {
                    Some(real) => contained(value, real, &path, found),
                    None => found.push(format!("{path}: only the simulator has it")),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for (index, value) in one.iter().enumerate() {
                let fits = |real: &Value| {
                    let mut found = Vec::new();
                    contained(value, real, "", &mut found);
                    found.is_empty()
                };
                if !other.iter().any(fits) {
                    found.push(format!(
                        "{path}[{index}]: nothing of the real server's is like it"
                    ));
                }
            }
        }
        _ if kind(simulated) != kind(real) => found.push(format!(
            "{path}: {} in the simulator, {} in the real server",
            kind(simulated),
            kind(real)
        )),
        _ => {}
    }
}

struct Comparison<'target> {
    target: &'target str,
    path: Vec<String>,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn note(&mut self, what: &str) {
        self.found.push(format!(".{}: {what}", self.path.join(".")));
    }

    fn at(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        self.path.push(step.to_owned());
        look(self);
        self.path.pop();
    }

    fn allowed(&self) -> Allowed {
        allowed(self.target, &self.path)
    }

    fn compare(&mut self, simulated: &Value, real: &Value) {
        if self.allowed() == Allowed::All {
            return;
        }
        match (simulated, real) {
            (Value::Object(one), Value::Object(other)) => {
                let more = self.allowed() == Allowed::More;
                for (key, value) in one {
                    self.at(key, |within| match other.get(key) {
                        Some(real) => within.compare(value, real),
                        None if within.allowed() == Allowed::All => {}
                        None => within.note("only the simulator has it"),
                    });
                }
                for key in other.keys().filter(|key| !one.contains_key(*key)) {
                    self.at(key, |within| {
                        if !more && within.allowed() != Allowed::All {
                            within.note("only the real server has it");
                        }
                    });
                }
            }
            (Value::Array(one), Value::Array(other)) => self.compare_lists(one, other),
            _ if kind(simulated) != kind(real) => self.note(&format!(
                "{} in the simulator, {} in the real server",
                kind(simulated),
                kind(real)
            )),
            _ => {}
        }
    }

    fn compare_lists(&mut self, one: &[Value], other: &[Value]) {
        let by_name = |list: &[Value]| -> Option<BTreeMap<String, Value>> {
            let named: Option<BTreeMap<_, _>> = list
                .iter()
                .map(|value| Some((called(value)?, value.clone())))
                .collect();
            named.filter(|named| named.len() == list.len())
        };
        match (by_name(one), by_name(other)) {
            (Some(one), Some(other)) => {
                for (name, value) in &one {
                    match other.get(name) {
                        Some(real) => self.at("*", |within| within.compare(value, real)),
                        None => self.note(&format!("only the simulator has {name}")),
                    }
                }
                for name in other.keys().filter(|name| !one.contains_key(*name)) {
                    if self.allowed() != Allowed::More {
                        self.note(&format!("only the real server has {name}"));
                    }
                }
            }
            _ if one.len() == other.len() || (one.len() < other.len() && self.allowed() == Allowed::More) => {
                for (value, real) in one.iter().zip(other) {
                    self.at("*", |within| within.compare(value, real));
                }
            }
            _ => self.note(&format!(
                "{} things in the simulator, {} in the real server",
                one.len(),
                other.len()
            )),
        }
    }
}

/// A text in which each UID is only a UID: those of what is made anew are others in each cluster.
fn without_uids(text: &str) -> String {
    let is_uid = |word: &str| {
        let lengths: Vec<usize> = word.split('-').map(str::len).collect();
        lengths == [8, 4, 4, 4, 12]
    };
    let word = |character: char| !(character.is_ascii_hexdigit() || character == '-');
    let uids: Vec<&str> = text.split(word).filter(|word| is_uid(word)).collect();
    uids.into_iter()
        .fold(text.to_owned(), |text, uid| text.replace(uid, "UID"))
}

/// What of a refusal must be the same to the letter: the tool's users read it.
pub fn refusal(answer: &Value) -> Option<(String, String, u64)> {
    (answer["kind"] == "Status" && answer["status"] == "Failure").then(|| {
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        (
            text("reason"),
            without_uids(&text("message")),
            answer["code"].as_u64().unwrap_or_default(),
        )
    })
}
