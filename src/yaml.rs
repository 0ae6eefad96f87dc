//! All YAML that this tool reads and writes passes here, so that the library under it can be
//! changed in one place. `serde_yaml` is deprecated; the package under the name is `serde_norway`,
//! its maintained fork.
//!
//! What the library says of a text that it cannot read may quote the text, and the text may be a
//! kubeconfig: an error from here gives the place and never the words.

use serde::Serialize;
use serde::de::DeserializeOwned;
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

/// Reads one document.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    serde_yaml::from_str(text).map_err(|error| place(&error))
}

/// Reads every document of a stream; empty ones are skipped.
pub fn documents(text: &str) -> Result<Vec<serde_json::Value>, YamlError> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| serde_json::Value::deserialize(document).map_err(|error| place(&error)))
        .filter(|document| !matches!(document, Ok(serde_json::Value::Null)))
        .collect()
}

/// Writes one document.
pub fn to_string(value: &impl Serialize) -> Result<String, Shown> {
    serde_yaml::to_string(value).map_err(|_| Shown::new(ErrorKind::Bug, "write a value as YAML"))
}

fn place(error: &serde_yaml::Error) -> YamlError {
    let (line, column) = error
        .location()
        .map_or((0, 0), |location| (location.line(), location.column()));
    YamlError::Syntax { line, column }
}

use serde::Deserialize as _;
