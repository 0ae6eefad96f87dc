//! Why a lab could not be had.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::{Error as Shown, ErrorKind};

/// Why a lab could not be had.
#[derive(Debug, Error)]
pub enum LabError {
    /// Programs or abilities of the machine are missing.
    #[error("a lab cannot run on this machine: {}", .0.iter().map(|lack| lack.what.as_str()).collect::<Vec<_>>().join("; "))]
    Lacking(Vec<Lack>),
    /// There is no lab of that name.
    #[error("there is no lab named {name}{}", others(.known))]
    NoSuchLab {
        /// The name that was asked for.
        name: String,
        /// The labs there are.
        known: Vec<String>,
    },
    /// The lab is there, but nothing of it runs.
    #[error("the lab {0} does not run any more")]
    NotRunning(String),
    /// The lab runs already, with another number of clusters.
    #[error("the lab {name} runs with {running} clusters, and {wanted} were asked for")]
    OtherSize {
        /// The lab.
        name: String,
        /// The clusters it has.
        running: u8,
        /// The clusters that were asked for.
        wanted: u8,
    },
    /// The lab runs already, with more or less of each cluster.
    #[error("the lab {name} runs {running}, and {wanted} were asked for")]
    OtherExtent {
        /// The lab.
        name: String,
        /// What it runs, in words.
        running: &'static str,
        /// What was asked for, in words.
        wanted: &'static str,
    },
    /// No lab has that context.
    #[error("no running lab has a context {context}{}", others(.known))]
    NoSuchContext {
        /// The context that was asked for.
        context: String,
        /// The contexts there are.
        known: Vec<String>,
    },
    /// The directory named by the environment is none.
    #[error("{variable} names {}, which is no directory", .path.display())]
    NoAssets {
        /// The environment variable.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
    },
    /// A part is not on this machine and there is no Go to build it.
    #[error("{parts} not found on this machine, and the command `go` to build {} is missing", if *.many { "them" } else { "it" })]
    NoGo {
        /// The names of the parts, with a verb.
        parts: String,
        /// Whether there are several.
        many: bool,
    },
    /// Building a part failed.
    #[error("build {what} with `go build`: {why}")]
    Build {
        /// The module and its version.
        what: String,
        /// The exit status, and the last lines that `go` said.
        why: String,
    },
    /// A cluster did not become ready, or stopped to be.
    #[error("{what}: {why} (logs: {})", .logs.display())]
    Failed {
        /// What was being done.
        what: String,
        /// Why it failed.
        why: String,
        /// Where to read more.
        logs: PathBuf,
    },
    /// A file, process or socket could not be worked with.
    #[error("{doing}: {why}")]
    System {
        /// What was being done to what.
        doing: String,
        /// What the system said.
        why: String,
    },
}

/// Something that the machine lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// What is missing.
    pub what: String,
    /// What would help.
    pub remedy: String,
}

impl LabError {
    /// A failure of the system while something was done.
    pub fn system(doing: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::System {
            doing: doing.into(),
            why: why.to_string(),
        }
    }

    /// A failure of the system while something was done to a file.
    pub fn file(verb: &str, path: &Path, why: impl std::fmt::Display) -> Self {
        Self::system(format!("{verb} {}", path.display()), why)
    }
}

fn others(known: &[String]) -> String {
    if known.is_empty() {
        String::new()
    } else {
        format!(" (there is {})", known.join(", "))
    }
}

impl From<LabError> for Shown {
    fn from(error: LabError) -> Self {
        let kind = match &error {
            LabError::Failed { .. } => ErrorKind::Unreachable,
            _ => ErrorKind::Request,
        };
        let hint = match &error {
            LabError::Lacking(lacks) => {
                let mut remedies: Vec<&str> = lacks.iter().map(|lack| lack.remedy.as_str()).collect();
                remedies.dedup();
                Some(remedies.join("; "))
            }
            LabError::NoSuchLab { name, .. } | LabError::NotRunning(name) => {
                Some(format!("stolos lab up --name {name}"))
            }
            LabError::OtherSize { name, running, .. } => Some(format!(
                "stolos lab up --name {name} --clusters {running}, or take it down first: stolos lab down --name {name}"
            )),
            LabError::OtherExtent { name, .. } => Some(format!("take it down first: stolos lab down --name {name}")),
            LabError::NoSuchContext { .. } => Some("stolos lab list".to_owned()),
            LabError::NoAssets { variable, .. } => Some(format!("unset {variable}, or let it name the directory of the parts")),
            LabError::NoGo { .. } => Some(
                "install Go 1.21 or newer (https://go.dev/doc/install), or let STOLOS_LAB_ASSETS name a directory that holds them"
                    .to_owned(),
            ),
            LabError::Build { .. } => Some(
                "see what `go` says above; it needs the Go module proxy (GOPROXY), about 5 GB of disk and 3 GB of memory".to_owned(),
            ),
            LabError::Failed { .. } => Some("read the logs, then: stolos lab up".to_owned()),
            LabError::System { .. } => None,
        };
        let shown = Shown::new(kind, error.to_string());
        match hint {
            Some(hint) => shown.hint(hint),
            None => shown,
        }
    }
}
