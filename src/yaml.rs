//! All YAML that this tool reads and writes passes here, so that the library under it can be
//! changed in one place. `serde_yaml` is deprecated; the package under the name is `serde_norway`,
//! its maintained fork.
//!
//! What the library says of a text that it cannot read may quote the text, and the text may be a
//! kubeconfig: an error from here gives the place and never the words.

use serde::Serialize;
use serde::de::DeserializeOwned;
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

/// Writes one document: the same one that JSON would be.
pub fn to_string(value: &impl Serialize) -> Result<String, Shown> {
    let failed = || Shown::new(ErrorKind::Bug, "write a value as YAML");
    let mut text = Vec::new();
    singleton_map_recursive::serialize(value, &mut serde_yaml::Serializer::new(&mut text))
        .map_err(|_| failed())?;
    String::from_utf8(text).map_err(|_| failed())
}

fn place(error: &serde_yaml::Error) -> YamlError {
    let (line, column) = error
        .location()
        .map_or((0, 0), |location| (location.line(), location.column()));
    YamlError::Syntax { line, column }
}

use serde::Deserialize as _;

#[cfg(test)]
mod tests {
    use super::*;

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
