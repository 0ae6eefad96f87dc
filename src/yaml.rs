//! All YAML that this tool reads and writes passes here, so that the library under it can be
//! changed in one place. `serde_yaml` is deprecated; the package under the name is `serde_norway`,
//! its maintained fork.
//!
//! What the library says of a text that it cannot read may quote the text, and the text may be a
//! kubeconfig: an error from here gives the place and never the words. [`explained`] is the one
//! exception, for texts that hold no secret.
//!
//! Kubeconfigs themselves are read by [`go_yaml`]: which of them are accepted, and as what, is decided
//! by the library that kubectl reads them with, and no other reads YAML as that one does.

pub mod go_yaml;

use std::io::Write;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};
use serde_yaml::with::singleton_map_recursive;
use thiserror::Error;

use crate::error::{Error as Shown, ErrorKind};

/// A text is not the YAML that was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum YamlError {
    /// It is not YAML at all.
    #[error("not YAML at line {line}, column {column}")]
    Syntax {
        /// From 1; 0 where the library does not say.
        line: usize,
        /// From 1; 0 where the library does not say.
        column: usize,
    },
    /// It is not YAML, and it is known why.
    #[error("not YAML at line {line}, column {column}: {problem}")]
    Unreadable {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// Why not, in words of ours.
        problem: &'static str,
    },
    /// It is YAML of a kind that is not read.
    #[error("line {line}: {problem}")]
    Refused {
        /// From 1.
        line: usize,
        /// Why not, in words of ours.
        problem: &'static str,
    },
    /// A name is given to two entries.
    #[error("line {line}: `{path}` is the name of `{first}` as well")]
    Twice {
        /// From 1.
        line: usize,
        /// The path to the name: `users[1].name`.
        path: String,
        /// The path to the entry that had it before.
        first: String,
    },
    /// A field is not what was wanted.
    #[error("{}`{path}` is not {expected}", at(*line))]
    Field {
        /// The path to the field: `users[0].user.token`.
        path: String,
        /// From 1; 0 where the library does not say.
        line: usize,
        /// What was wanted, in words of ours.
        expected: &'static str,
    },
}

/// What is wrong with a text that holds no secret, in the library's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The path to the field, `.` for the whole text.
    pub path: String,
    /// From 1; 0 where the library does not say.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads one document. An enum's variant with content is a map of one key, as in JSON, not a YAML tag.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    singleton_map_recursive::deserialize(serde_yaml::Deserializer::from_str(text))
        .map_err(|error| place(&error))
}

/// Reads every document of a stream; empty ones are skipped.
pub fn documents(text: &str) -> Result<Vec<serde_json::Value>, YamlError> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| serde_json::Value::deserialize(document).map_err(|error| place(&error)))
        .filter(|document| !matches!(document, Ok(serde_json::Value::Null)))
        .collect()
}

/// Reads the first document of a stream; nothing where it is empty. A field of the wrong type is
/// reported by its path and line; merge keys (`<<`) are followed, and cost the line.
pub fn first_document<T: DeserializeOwned>(text: &str) -> Result<Option<T>, YamlError> {
    let Some(document) = serde_yaml::Deserializer::from_str(text).next() else {
        return Ok(None);
    };
    if text.contains("<<") {
        let mut merged = serde_yaml::Value::deserialize(document).map_err(|error| place(&error))?;
        merged.apply_merge().map_err(|error| place(&error))?;
        return serde_path_to_error::deserialize::<_, Option<T>>(merged).map_err(|error| field(&error));
    }
    serde_path_to_error::deserialize::<_, Option<T>>(document).map_err(|error| field(&error))
}

fn field(error: &serde_path_to_error::Error<serde_yaml::Error>) -> YamlError {
    let path = error.path().to_string();
    match (place(error.inner()), expectation(&error.inner().to_string())) {
        (YamlError::Syntax { line, .. }, Some(expected)) => YamlError::Field { path, line, expected },
        (syntax, _) => syntax,
    }
}

fn at(line: usize) -> String {
    if line == 0 {
        String::new()
    } else {
        format!("line {line}: ")
    }
}

/// Reads one document of a text that holds no secret, and says what is wrong with it.
pub fn explained<T: DeserializeOwned>(text: &str) -> Result<T, Explained> {
    let deserializer = serde_yaml::Deserializer::from_str(text);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let inner = error.inner();
        let line = inner.location().map_or(0, |location| location.line());
        let whole = inner.to_string();
        // The library adds the path before and the place after; both are said by themselves here.
        let message = whole
            .rsplit_once(" at line ")
            .map_or(whole.as_str(), |(message, _)| message);
        let path = error.path().to_string();
        let message = message
            .split_once(": ")
            .filter(|(before, _)| looks_like_a_path(before))
            .map_or(message, |(_, message)| message);
        Explained {
            path,
            line,
            message: message.to_owned(),
        }
    })
}

/// Writes one document: the same one that JSON would be.
pub fn to_string(value: &impl Serialize) -> Result<String, Shown> {
    let mut text = Vec::new();
    to_writer(&mut text, value)?;
    String::from_utf8(text).map_err(|_| Shown::new(ErrorKind::Bug, "write a value as YAML"))
}

/// Writes one document, piece by piece.
pub fn to_writer(writer: impl Write, value: &impl Serialize) -> Result<(), Shown> {
    singleton_map_recursive::serialize(value, &mut serde_yaml::Serializer::new(writer))
        .map_err(|_| Shown::new(ErrorKind::Bug, "write a value as YAML"))
}

fn place(error: &serde_yaml::Error) -> YamlError {
    let (line, column) = error
        .location()
        .map_or((0, 0), |location| (location.line(), location.column()));
    YamlError::Syntax { line, column }
}

/// What the library wanted, where it says so; in words of ours, since its own quote the text.
fn expectation(message: &str) -> Option<&'static str> {
    let (_, wanted) = message.rsplit_once(", expected ")?;
    let wanted = wanted
        .rsplit_once(" at line ")
        .map_or(wanted, |(wanted, _)| wanted);
    Some(match wanted {
        "a string" => "a text (write numbers and the like in quotes)",
        "a boolean" | "a truth value" => "`true` or `false`",
        "a sequence" => "a list",
        _ if wanted == "a map" || wanted.starts_with("struct ") => "a map",
        _ => "what belongs there",
    })
}

fn looks_like_a_path(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(' ')
        && text
            .chars()
            .all(|character| character.is_alphanumeric() || "._-[]".contains(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only reading it matters")]
        list: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only reading it matters")]
        number: u8,
    }

    #[test]
    fn an_unknown_field_is_explained_by_path_and_line() {
        let error = explained::<Outer>("list:\n- number: 1\n- nunber: 2\n").unwrap_err();
        assert_eq!(error.line, 3);
        assert_eq!(error.path, "list[1].nunber");
        assert!(error.message.starts_with("unknown field `nunber`"), "{error:?}");
    }

    #[test]
    fn merge_keys_are_followed() {
        let text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n";
        let value: serde_json::Value = first_document(text).unwrap().unwrap();
        assert_eq!(value["b"], serde_json::json!({"x": 1, "y": 3}));
        let error = first_document::<Outer>("list: &l hunter2\nother: {<<: {}}\n").unwrap_err();
        assert_eq!(error.to_string(), "`list` is not a list");
    }

    #[test]
    fn a_wrong_type_is_explained_without_its_words() {
        let error = first_document::<Outer>("list: hunter2\n").unwrap_err();
        assert_eq!(
            error,
            YamlError::Field {
                path: "list".to_owned(),
                line: 1,
                expected: "a list"
            }
        );
        assert!(!error.to_string().contains("hunter2"));
    }

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Answer {
        Said(Vec<u8>),
        Nothing,
    }

    #[test]
    fn yaml_says_what_json_says() {
        let answers = vec![Answer::Said(vec![1]), Answer::Nothing];
        let text = to_string(&answers).unwrap();
        assert_eq!(text, "- said:\n  - 1\n- nothing\n");
        assert_eq!(from_str::<Vec<Answer>>(&text), Ok(answers));
    }

    #[test]
    fn errors_give_the_place_and_not_the_words() {
        let error = from_str::<u8>("a: b\ntoken: [hunter2").unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("line") && !shown.contains("hunter2"), "{shown}");
    }
}
