//! Saved plans as files.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::paths;
use crate::document::{API_VERSION, Body as _, Document};
use crate::error::Error as Shown;
use crate::plan::saved::SavedPlan;

/// A saved plan could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SavedPlanError {
    /// The file itself.
    #[error("{what} the saved plan {}: {reason}", path.display())]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// Which.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// It holds something else.
    #[error("read the saved plan {}: {reason}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong, by its place.
        reason: String,
    },
}

impl From<SavedPlanError> for Shown {
    fn from(error: SavedPlanError) -> Self {
        Shown::request(error.to_string()).hint("`stolos plan --out FILE` writes one")
    }
}

/// What is read of a saved plan: the rest of its envelope is for people.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: String,
    kind: String,
    #[serde(flatten)]
    plan: serde_json::Value,
}

/// Writes a plan into a file, which it replaces.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, document: &Document<SavedPlan>) -> Result<(), SavedPlanError> {
    let failed = |reason: String| SavedPlanError::Io {
        what: "write",
        path: path.to_owned(),
        reason,
    };
    let mut text = serde_json::to_string_pretty(document).map_err(|error| failed(error.to_string()))?;
    text.push('\n');
    paths::replace(path, &text).map_err(|error| failed(error.to_string()))
}

/// Reads a saved plan.
///
/// # Errors
/// The file cannot be read, or is none.
pub fn load(path: &Path) -> Result<SavedPlan, SavedPlanError> {
    let text = std::fs::read_to_string(path).map_err(|error| SavedPlanError::Io {
        what: "read",
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let wrong = |reason: String| SavedPlanError::Content {
        path: path.to_owned(),
        reason,
    };
    let envelope: Envelope = serde_json::from_str(&text).map_err(|error| {
        wrong(format!(
            "it is no saved plan from line {} column {} on",
            error.line(),
            error.column()
        ))
    })?;
    if (envelope.api_version.as_str(), envelope.kind.as_str()) != (API_VERSION, SavedPlan::KIND) {
        return Err(wrong(format!(
            "it is no `kind: {}` of `apiVersion: {API_VERSION}`",
            SavedPlan::KIND
        )));
    }
    serde_path_to_error::deserialize(envelope.plan)
        .map_err(|error| wrong(format!("what it says at `{}` is not what is saved", error.path())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Run;
    use crate::fleet::Fleet;
    use crate::inventory::Inventory;
    use crate::plan::Plan;

    #[test]
    fn what_is_saved_is_read_and_anything_else_refused_without_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let fleet: Fleet = crate::yaml::from_str(
            "{apiVersion: stolos.dev/v1alpha1, kind: Fleet, metadata: {name: prod}, spec: {clusters: []}}",
        )
        .unwrap();
        let plan = SavedPlan::of(
            &fleet,
            &["east".parse().unwrap()].into(),
            &Plan::default(),
            &Inventory::default(),
        );
        let run = Run {
            at: jiff::Timestamp::UNIX_EPOCH,
            id: "0".to_owned(),
        };
        save(&path, &Document::new(&run, Vec::new(), plan.clone())).unwrap();
        assert_eq!(load(&path), Ok(plan));
        for (text, said) in [
            (
                r#"{"kind": "Pod", "apiVersion": "v1"}"#,
                "it is no `kind: SavedPlan`",
            ),
            ("secret", "line 1 column 1"),
            (
                r#"{"apiVersion": "stolos.dev/v1alpha1", "kind": "SavedPlan", "fleet": {"name": "secret!"}}"#,
                "`fleet.name`",
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("secret"), "{error}");
        }
        assert!(matches!(load(folder.path()), Err(SavedPlanError::Io { .. })));
    }
}
