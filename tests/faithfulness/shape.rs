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
    path: &'static [&'static str],
    reason: &'static str,
}

const MAY_DIFFER: &[Difference] = &[
    Difference {
        path: &["metadata", "remainingItemCount"],
        reason: "the real cluster has objects of its own kinds of servers, such as leases",
    },
    Difference {
        path: &["metadata", "resourceVersion"],
        reason: "a review's metadata is empty or not, by the server's version",
    },
];

fn may_differ(path: &[String]) -> bool {
    MAY_DIFFER.iter().any(|difference| {
        assert!(!difference.reason.is_empty());
        difference.path.len() == path.len()
            && difference
                .path
                .iter()
                .zip(path)
                .all(|(one, other)| *one == "*" || one == other)
    })
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
    let name = value.pointer("/metadata/name").or(value.pointer("/name"))?;
    let namespace = value.pointer("/metadata/namespace").unwrap_or(&Value::Null);
    Some(format!("{namespace} {name}"))
}

/// Every place at which the shapes of two answers differ.
pub fn differences(simulated: &Value, real: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(simulated, real, &mut Vec::new(), &mut found);
    found
}

fn compare(simulated: &Value, real: &Value, path: &mut Vec<String>, found: &mut Vec<String>) {
    if may_differ(path) {
        return;
    }
    let at = format!(".{}", path.join("."));
    match (simulated, real) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                path.push(key.clone());
                match other.get(key) {
                    Some(real) => compare(value, real, path, found),
                    None if may_differ(path) => {}
                    None => found.push(format!("{at}: only the simulator has `{key}`")),
                }
                path.pop();
            }
            for key in other.keys().filter(|key| !one.contains_key(*key)) {
                path.push(key.clone());
                if !may_differ(path) {
                    found.push(format!("{at}: only the real server has `{key}`"));
                }
                path.pop();
            }
        }
        (Value::Array(one), Value::Array(other)) => compare_lists(one, other, path, found),
        _ if kind(simulated) != kind(real) => found.push(format!(
            "{at}: {} in the simulator, {} in the real server",
            kind(simulated),
            kind(real)
        )),
        _ => {}
    }
}

fn compare_lists(one: &[Value], other: &[Value], path: &mut Vec<String>, found: &mut Vec<String>) {
    let at = format!(".{}", path.join("."));
    let by_name = |list: &[Value]| -> Option<BTreeMap<String, Value>> {
        list.iter()
            .map(|value| Some((called(value)?, value.clone())))
            .collect()
    };
    path.push("*".to_owned());
    match (by_name(one), by_name(other)) {
        (Some(one), Some(other)) => {
            for (name, value) in &one {
                match other.get(name) {
                    Some(real) => compare(value, real, path, found),
                    None => found.push(format!("{at}: only the simulator has {name}")),
                }
            }
            for name in other.keys().filter(|name| !one.contains_key(*name)) {
                found.push(format!("{at}: only the real server has {name}"));
            }
        }
        _ if one.len() == other.len() => {
            for (value, real) in one.iter().zip(other) {
                compare(value, real, path, found);
            }
        }
        _ => found.push(format!(
            "{at}: {} in the simulator, {} in the real server",
            one.len(),
            other.len()
        )),
    }
    path.pop();
}

/// What of a refusal must be the same to the letter: the tool's users read it.
pub fn refusal(answer: &Value) -> Option<(String, String, u64)> {
    (answer["kind"] == "Status" && answer["status"] == "Failure").then(|| {
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        (
            text("reason"),
            text("message"),
            answer["code"].as_u64().unwrap_or_default(),
        )
    })
}
