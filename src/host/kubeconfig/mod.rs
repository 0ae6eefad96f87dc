//! Kubeconfigs, merged as kubectl merges them (client-go `tools/clientcmd`, `loader.go`): an explicit
//! file, else the list in `KUBECONFIG`, else `~/.kube/config`. Missing files of the list are
//! skipped, empty entries ignored, the first file to set a value or to hold an entry of a name wins,
//! relative paths start at the folder of the file that they stand in. They are never written.
//!
//! Kubeconfigs hold credentials: an error gives file, line and field, and never a value.

mod connection;
#[cfg(test)]
mod connection_tests;
mod decode;
mod entry;
mod file;
mod in_pod;
mod pem;
mod proxy;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod tests;
mod user;
mod view;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

pub use connection::{Connection, ConnectionOptions};

use crate::error::{Error as Shown, ErrorKind};
use crate::fleet::pattern::Patterns;
use crate::host::in_cluster::Pod;
use crate::host::sensitive::{Sensitive, shown_url};
use crate::yaml::YamlError;
use file::{Cluster, Context, Extension, Preferences, User};

/// Why kubeconfigs do not give what was asked of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KubeconfigError {
    /// There is no home directory to look in.
    #[error("find the kubeconfig: KUBECONFIG is not set and there is no home directory")]
    NoHome,
    /// A file cannot be read.
    #[error("read the kubeconfig {}: {reason}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// A file is not a kubeconfig.
    #[error("read the kubeconfig {}: {problem}", .file.display())]
    Shape {
        /// The file.
        file: PathBuf,
        /// Line and field, never a value.
        problem: YamlError,
    },
    /// No kubeconfig has the context.
    #[error("there is no context {name:?} in {files}")]
    NoContext {
        /// The context that was asked for.
        name: String,
        /// The files that were read, or a word for none.
        files: String,
        /// The names that come nearest, the best first.
        nearest: Vec<String>,
    },
    /// A context, or what it refers to, cannot give a connection.
    #[error("use the context {context:?}: {field} in {}{}: {problem}", .file.display(), on_line(*.line))]
    Unusable {
        /// The context.
        context: String,
        /// The file that the field stands in.
        file: PathBuf,
        /// The line of the field, or of what it is missing from, from 1; none where the file has
        /// changed since it was read.
        line: Option<usize>,
        /// The path to the field, such as `users[\"a\"].user.exec.command`.
        field: String,
        /// What is wrong, never the value.
        problem: String,
    },
}

fn on_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

impl From<KubeconfigError> for Shown {
    fn from(error: KubeconfigError) -> Self {
        let shown = Shown::new(ErrorKind::Request, error.to_string());
        match &error {
            KubeconfigError::NoHome => shown.hint("name a file with --kubeconfig, or set KUBECONFIG"),
            KubeconfigError::NoContext { nearest, .. } if !nearest.is_empty() => shown.hint(format!(
                "did you mean {}? `stolos contexts` lists all",
                nearest.join(", ")
            )),
            KubeconfigError::NoContext { .. } => {
                shown.hint("`stolos contexts` lists the contexts; name another file with --kubeconfig")
            }
            KubeconfigError::Read { .. }
            | KubeconfigError::Shape { .. }
            | KubeconfigError::Unusable { .. } => shown,
        }
    }
}

/// One context, as `stolos contexts` lists it (contract: `ContextList`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextEntry {
    /// The context's name.
    pub name: String,
    /// Its cluster's name in the kubeconfig.
    pub cluster: String,
    /// Its user's name in the kubeconfig.
    pub user: String,
    /// Its namespace, empty where it has none.
    pub namespace: String,
    /// The cluster's URL without what may be secret in it, empty where the kubeconfig has none.
    pub server: String,
    /// Whether it is the current context.
    pub current: bool,
}

/// Where kubeconfigs are looked for: what the environment says, as data.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--kubeconfig`: this file and no other.
    pub explicit: Option<PathBuf>,
    /// The variable `KUBECONFIG`.
    pub list: Option<OsString>,
    /// The home directory.
    pub home: Option<PathBuf>,
}

impl Sources {
    /// What this process's environment says.
    pub fn of_environment(explicit: Option<&Path>) -> Self {
        Self {
            explicit: explicit.map(Path::to_owned),
            list: std::env::var_os("KUBECONFIG"),
            home: dirs::home_dir(),
        }
    }
}

/// An entry of a name, with the file that it came from.
struct Named<T> {
    name: String,
    /// Index into [`Kubeconfigs::files`].
    file: usize,
    value: T,
}

/// Entries by name, in the order in which they were met.
struct Entries<T> {
    list: Vec<Named<T>>,
    by_name: HashMap<String, usize>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            by_name: HashMap::new(),
        }
    }
}

impl<T> Entries<T> {
    fn get(&self, name: &str) -> Option<&Named<T>> {
        self.by_name.get(name).map(|&index| &self.list[index])
    }

    /// Adds what one file holds; the first file to hold a name wins.
    fn add(&mut self, file: usize, entries: Vec<(String, T)>) {
        for (name, value) in entries {
            if !self.by_name.contains_key(&name) {
                self.by_name.insert(name.clone(), self.list.len());
                self.list.push(Named { name, file, value });
            }
        }
    }
}

/// Merged kubeconfigs.
#[derive(Default)]
pub struct Kubeconfigs {
    files: Vec<PathBuf>,
    missing: Vec<PathBuf>,
    current: String,
    preferences: Preferences,
    contexts: Entries<Context>,
    clusters: Entries<Cluster>,
    users: Entries<User>,
    extensions: Vec<Extension>,
    lines: entry::Lines,
}

/// Shows which files, not what is in them.
impl fmt::Debug for Kubeconfigs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Kubeconfigs")
            .field("files", &self.files)
            .field("contexts", &self.contexts.list.len())
            .finish_non_exhaustive()
    }
}

impl Kubeconfigs {
    /// Reads the explicit file, else the files of `KUBECONFIG`, else `~/.kube/config`; where that is
    /// nothing and this is a pod, the context is [`crate::host::in_cluster::NAME`].
    ///
    /// # Errors
    /// An explicit file that is missing; any file that cannot be read or is no kubeconfig.
    pub fn load(explicit: Option<&Path>) -> Result<Self, KubeconfigError> {
        Self::from_sources_or_pod(&Sources::of_environment(explicit), &Pod::of_environment())
    }

    /// Reads what the sources say.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_sources(sources: &Sources) -> Result<Self, KubeconfigError> {
        let mut merged = Self::default();
        for path in sources.paths()? {
            let (path, read) = sources.read(path);
            let bytes = match read {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && sources.explicit.is_none() => {
                    merged.missing.push(path);
                    continue;
                }
                Err(error) => {
                    return Err(KubeconfigError::Read {
                        file: path,
                        reason: error.to_string(),
                    });
                }
            };
            let content = file::parse(&path, &bytes)?;
            let index = merged.files.len();
            // Relative paths must keep their meaning wherever this process goes.
            merged.files.push(std::path::absolute(&path).unwrap_or(path));
            if merged.current.is_empty() {
                merged.current = content.current_context;
            }
            merged.preferences.colors |= content.preferences.colors;
            add_extensions(&mut merged.preferences.extensions, content.preferences.extensions);
            add_extensions(&mut merged.extensions, content.extensions);
            merged.contexts.add(index, content.contexts);
            merged.clusters.add(index, content.clusters);
            merged.users.add(index, content.users);
        }
        Ok(merged)
    }

    /// The files that were read, in their order, as absolute paths.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The files that were looked for and are not there.
    pub fn missing(&self) -> &[PathBuf] {
        &self.missing
    }

    /// The merged result as JSON, as `kubectl config view --raw -o json` prints it but for its spaces.
    /// It holds whatever secrets the files hold.
    pub fn to_json(&self) -> Sensitive {
        let mut json = String::new();
        view::write(self, &mut json);
        Sensitive::new(json)
    }

    /// Every context, in the merged order.
    pub fn contexts(&self) -> Vec<ContextEntry> {
        self.contexts
            .list
            .iter()
            .map(|context| ContextEntry {
                name: context.name.clone(),
                cluster: context.value.cluster.clone(),
                user: context.value.user.clone(),
                namespace: context.value.namespace.clone(),
                server: self
                    .clusters
                    .get(&context.value.cluster)
                    .map(|cluster| shown_url(&cluster.value.server))
                    .unwrap_or_default(),
                current: context.name == self.current,
            })
            .collect()
    }

    /// The contexts that patterns mean, in the merged order.
    ///
    /// # Errors
    /// A pattern that means no context: it is probably a slip.
    pub fn matching(&self, patterns: &Patterns) -> Result<Vec<ContextEntry>, KubeconfigError> {
        let contexts = self.contexts();
        let names: Vec<&str> = contexts.iter().map(|context| context.name.as_str()).collect();
        if let Some(pattern) = patterns.unmatched(&names) {
            return Err(self.no_context(&pattern.to_string()));
        }
        Ok(contexts
            .into_iter()
            .filter(|context| patterns.matches(&context.name))
            .collect())
    }

    /// Whether a context of this name exists.
    pub fn has_context(&self, name: &str) -> bool {
        self.contexts.get(name).is_some()
    }

    /// The error that says that a context does not exist, with the nearest names.
    pub fn no_context(&self, name: &str) -> KubeconfigError {
        let mut ranked: Vec<(f64, &str)> = self
            .contexts
            .list
            .iter()
            .map(|context| (nearness(name, &context.name), context.name.as_str()))
            .filter(|(nearness, _)| *nearness >= 0.7)
            .collect();
        ranked.sort_by(|left, right| right.0.total_cmp(&left.0));
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        KubeconfigError::NoContext {
            name: name.to_owned(),
            files: if files.is_empty() {
                let missing: Vec<String> = self
                    .missing
                    .iter()
                    .map(|file| file.display().to_string())
                    .collect();
                format!("any kubeconfig ({} not there)", missing.join(", "))
            } else {
                files.join(", ")
            },
            nearest: ranked
                .into_iter()
                .take(3)
                .map(|(_, name)| name.to_owned())
                .collect(),
        }
    }

    /// How to connect to the cluster of one context, never of another. Credential and certificate
    /// files are read; no plugin is run and nothing is dialled.
    ///
    /// # Errors
    /// There is no such context, or what it refers to is missing or contradicts itself.
    pub async fn connection(
        &self,
        context: &str,
        options: &ConnectionOptions,
    ) -> Result<Connection, KubeconfigError> {
        connection::connect(self, context, options, &proxy::Environment::of_process()).await
    }
}

/// Adds what one file holds; the first file to hold a name wins. They stay in the order of their names.
fn add_extensions(extensions: &mut Vec<Extension>, more: Vec<Extension>) {
    for extension in more {
        let found = extensions.binary_search_by(|known| known.name.cmp(&extension.name));
        if let Err(index) = found {
            extensions.insert(index, extension);
        }
    }
}

/// From 0 to 1; a name that holds the other as a part is near, since contexts are often long.
fn nearness(wanted: &str, name: &str) -> f64 {
    let (wanted, name) = (wanted.to_lowercase(), name.to_lowercase());
    let nearness = strsim::jaro_winkler(&wanted, &name);
    if !wanted.is_empty() && (name.contains(&wanted) || wanted.contains(&name)) {
        nearness.max(0.9)
    } else {
        nearness
    }
}

impl Sources {
    /// A file's bytes. Where the usual file is missing, the one of an older place is taken instead: kubectl
    /// copies it (client-go's `MigrationRules`), and reads it then.
    fn read(&self, path: PathBuf) -> (PathBuf, std::io::Result<Vec<u8>>) {
        let read = std::fs::read(&path);
        let missing = matches!(&read, Err(error) if error.kind() == std::io::ErrorKind::NotFound);
        let usual = self.home.as_ref().map(|home| home.join(".kube/config"));
        if missing && usual.as_ref() == Some(&path) {
            let older = path.with_file_name(".kubeconfig");
            if older.exists() {
                let read = std::fs::read(&older);
                return (older, read);
            }
        }
        (path, read)
    }

    fn paths(&self) -> Result<Vec<PathBuf>, KubeconfigError> {
        if let Some(explicit) = &self.explicit {
            return Ok(vec![explicit.clone()]);
        }
        match &self.list {
            Some(list) if !list.is_empty() => {
                let mut paths: Vec<PathBuf> = Vec::new();
                for path in std::env::split_paths(list) {
                    if !path.as_os_str().is_empty() && !paths.contains(&path) {
                        paths.push(path);
                    }
                }
                Ok(paths)
            }
            _ => {
                let home = self.home.as_ref().ok_or(KubeconfigError::NoHome)?;
                Ok(vec![home.join(".kube").join("config")])
            }
        }
    }
}
