//! The fleet file on this machine: found like a compose file, read, and replaced in one move. What
//! its text says is `fleet`'s business.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::paths;
use crate::error::{Error as Shown, ErrorKind};
use crate::fleet::{Fleet, FleetError, check};

/// The name under which a fleet file is found.
pub const FILE_NAME: &str = "stolos.yaml";

/// Why there is no fleet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FleetFileError {
    /// No folder upward has one.
    #[error("find a fleet file: there is no {FILE_NAME} in {} or above it", .start.display())]
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// It cannot be read or written.
    #[error("{what} the fleet file {}: {reason}", .path.display())]
    Io {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// Its text is no fleet's.
    #[error("read the fleet file {}: {problem}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with the text.
        problem: FleetError,
    },
    /// Somebody wrote it after it was read here.
    #[error("write the fleet file {}: it has been changed since it was read", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A new one would stand on an old one.
    #[error("write the fleet file {}: there is one already", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl From<FleetFileError> for Shown {
    fn from(error: FleetFileError) -> Self {
        let shown = Shown::new(ErrorKind::Request, error.to_string());
        match &error {
            FleetFileError::NotFound { .. } => {
                shown.hint("`stolos init` writes one; `--fleet PATH` or STOLOS_FLEET names one")
            }
            FleetFileError::Content { problem, .. } => match problem.hint() {
                Some(hint) => shown.hint(hint),
                None => shown,
            },
            FleetFileError::Changed { .. } => shown.hint("type the command again"),
            FleetFileError::Exists { .. } => shown.hint(
                "`stolos join CONTEXT` adds to it; move it away first, or name another path with --fleet, to begin anew",
            ),
            FleetFileError::Io { .. } => shown,
        }
    }
}

/// A fleet file as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetFile {
    /// Where it is, as an absolute path.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What it says.
    pub fleet: Fleet,
}

/// The nearest fleet file, upward from a folder.
pub fn find_from(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .map(|folder| folder.join(FILE_NAME))
        .find(|path| path.is_file())
}

/// The fleet file that is named, else the nearest upward from the working directory; `None` where
/// none is named and none is found.
///
/// # Errors
/// The one that is named or found cannot be read or says something impossible.
pub fn load_if_any(named: Option<&Path>) -> Result<Option<FleetFile>, FleetFileError> {
    match named {
        Some(path) => load_from(path).map(Some),
        None => find_from(&working_directory())
            .map(|path| load_from(&path))
            .transpose(),
    }
}

/// The fleet file that is named, else the nearest upward from the working directory.
///
/// # Errors
/// There is none; it cannot be read; it says something impossible.
pub fn load(named: Option<&Path>) -> Result<FleetFile, FleetFileError> {
    load_if_any(named)?.ok_or_else(|| FleetFileError::NotFound {
        start: working_directory(),
    })
}

fn working_directory() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

fn load_from(path: &Path) -> Result<FleetFile, FleetFileError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let text = std::fs::read_to_string(&path).map_err(|error| io("read", &path, &error))?;
    match check::read(&text) {
        Ok(fleet) => Ok(FleetFile { path, text, fleet }),
        Err(problem) => Err(FleetFileError::Content { path, problem }),
    }
}

fn io(what: &'static str, path: &Path, error: &std::io::Error) -> FleetFileError {
    FleetFileError::Io {
        what,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

impl FleetFile {
    /// The folder that relative paths in the file start at.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// The kubeconfig that a cluster names, where it names one.
    pub fn kubeconfig_of(&self, cluster: &crate::fleet::ClusterSpec) -> Option<PathBuf> {
        cluster
            .kubeconfig
            .as_deref()
            .map(|path| paths::expand(path, self.folder()))
    }

    /// Replaces the file's text in one move and reads it again.
    ///
    /// # Errors
    /// Somebody has changed the file since it was read; it cannot be written; the text is no fleet's.
    pub fn save(&self, text: &str) -> Result<FleetFile, FleetFileError> {
        let fleet = check::read(text).map_err(|problem| FleetFileError::Content {
            path: self.path.clone(),
            problem,
        })?;
        let now = std::fs::read_to_string(&self.path).map_err(|error| io("read", &self.path, &error))?;
        if now != self.text {
            return Err(FleetFileError::Changed {
                path: self.path.clone(),
            });
        }
        if now != text {
            paths::replace(&self.path, text).map_err(|error| io("write", &self.path, &error))?;
        }
        Ok(FleetFile {
            path: self.path.clone(),
            text: text.to_owned(),
            fleet,
        })
    }
}

/// Writes a new fleet file where none is.
///
/// # Errors
/// There is one; it cannot be written; the text is no fleet's.
pub fn create(path: &Path, text: &str) -> Result<FleetFile, FleetFileError> {
    use std::io::Write as _;
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let fleet = check::read(text).map_err(|problem| FleetFileError::Content {
        path: path.clone(),
        problem,
    })?;
    let mut file = match std::fs::File::create_new(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(FleetFileError::Exists { path });
        }
        opened => opened.map_err(|error| io("write", &path, &error))?,
    };
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| io("write", &path, &error))?;
    Ok(FleetFile {
        path,
        text: text.to_owned(),
        fleet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata: {name: a}\nspec: {clusters: []}\n";

    #[test]
    fn the_nearest_file_upward_is_found() {
        let folder = tempfile::TempDir::new().unwrap();
        let deep = folder.path().join("a/b");
        std::fs::create_dir_all(deep.join(FILE_NAME)).unwrap();
        std::fs::write(folder.path().join(FILE_NAME), TEXT).unwrap();
        assert_eq!(find_from(&deep), Some(folder.path().join(FILE_NAME)));
        assert_eq!(find_from(Path::new("/nonexistent-folder")), None);
    }

    #[test]
    fn a_file_is_never_overwritten_unseen() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("fleet.yaml");
        let made = create(&path, TEXT).unwrap();
        assert!(matches!(create(&path, TEXT), Err(FleetFileError::Exists { .. })));
        let other = TEXT.replace("name: a", "name: b");
        let saved = made.save(&other).unwrap();
        assert_eq!(saved.fleet.metadata.name.as_str(), "b");
        assert_eq!(load(Some(&path)).unwrap(), saved);
        assert!(matches!(made.save(TEXT), Err(FleetFileError::Changed { .. })));
        assert!(matches!(
            saved.save("kind: Pod"),
            Err(FleetFileError::Content { .. })
        ));
        assert!(matches!(
            load(Some(folder.path())),
            Err(FleetFileError::Io { .. })
        ));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
    }
}
