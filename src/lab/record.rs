//! What is remembered of a lab, and where: one folder a lab under the state directory, with
//! everything that the lab writes. Nothing in it is needed once the lab is gone.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use super::certificates::write_private;
use super::error::LabError;
use super::shape::{ClusterShape, Extent, LabName};
use super::supervisor::Supervisor;

/// A lab on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lab {
    /// Its name.
    pub name: LabName,
    /// How many clusters it has.
    pub size: u8,
    /// How much of each it runs.
    #[serde(default)]
    pub extent: Extent,
    /// The folder with everything of the lab's.
    pub directory: PathBuf,
    /// The kubeconfig with its contexts; good inside and outside of the lab's network.
    pub kubeconfig: PathBuf,
    /// Its clusters.
    pub clusters: Vec<Cluster>,
    /// The process whose end ends the lab.
    pub(super) supervisor: Supervisor,
    /// The options of `unshare` that made its namespaces.
    pub(super) namespaces: String,
}

/// One cluster of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// The kubeconfig context.
    pub context: String,
    /// The port of its API server on 127.0.0.1.
    pub port: u16,
    /// The API server's URL in the lab's network, which peers dial.
    pub inner_url: String,
    /// The API server's audit log, one JSON event a line, at the level Metadata.
    pub audit_log: PathBuf,
    /// The folder with the cluster's logs and keys.
    pub directory: PathBuf,
}

/// Whether a lab runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabState {
    /// Its supervisor runs.
    Running,
    /// Nothing of it runs; files are left.
    Dead,
}

/// How a cluster of a running lab is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterState {
    /// Its control plane starts.
    Starting,
    /// It answers, and its node, where it has one, is ready.
    Ready,
    /// It was switched off.
    Stopped,
}

impl ClusterState {
    /// The state as shown.
    pub fn as_str(self) -> &'static str {
        match self {
            ClusterState::Starting => "starting",
            ClusterState::Ready => "ready",
            ClusterState::Stopped => "stopped",
        }
    }
}

impl Lab {
    /// The kubeconfig contexts, in order.
    pub fn contexts(&self) -> Vec<String> {
        self.clusters
            .iter()
            .map(|cluster| cluster.context.clone())
            .collect()
    }

    /// The clusters' shapes, in order.
    pub fn shapes(&self) -> Vec<ClusterShape> {
        self.name.clusters(self.size)
    }

    /// The directory with the lab's parts, `istioctl` and `kubectl` among them.
    pub fn parts(&self) -> PathBuf {
        self.directory.join("parts")
    }

    /// Whether it runs.
    pub fn state(&self) -> LabState {
        if self.supervisor.is_alive() {
            LabState::Running
        } else {
            LabState::Dead
        }
    }

    /// The process whose end ends the lab.
    pub fn supervisor_process(&self) -> u32 {
        self.supervisor.process
    }

    /// The file that remembers the lab.
    fn file(directory: &Path) -> PathBuf {
        directory.join("lab.json")
    }

    /// Remembers the lab.
    pub(super) fn write(&self) -> Result<(), LabError> {
        let path = Self::file(&self.directory);
        let text = serde_json::to_vec_pretty(self).map_err(|error| LabError::file("write", &path, error))?;
        let fresh = path.with_extension("json.new");
        write_private(&fresh, &text)?;
        fs::rename(&fresh, &path).map_err(|error| LabError::file("write", &path, error))
    }

    /// Reads what is remembered in a folder; none where nothing is, or where it cannot be read: a
    /// lab that died while it was made is as good as none.
    pub fn read(directory: &Path) -> Option<Self> {
        let text = fs::read(Self::file(directory)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// The folder of all labs.
pub fn labs_directory() -> Result<PathBuf, LabError> {
    dirs::state_dir()
        .or_else(dirs::data_local_dir)
        .map(|directory| directory.join("stolos").join("labs"))
        .ok_or_else(|| LabError::system("find the state directory", "HOME is not set"))
}

/// The folder of a lab.
pub fn directory(name: &LabName) -> Result<PathBuf, LabError> {
    Ok(labs_directory()?.join(name.as_str()))
}

/// The labs on this machine, by name, also dead ones.
pub fn list() -> Result<Vec<Lab>, LabError> {
    let directory = labs_directory()?;
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LabError::file("read", &directory, error)),
    };
    let mut labs: Vec<Lab> = entries
        .flatten()
        .filter_map(|entry| Lab::read(&entry.path()))
        .collect();
    labs.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(labs)
}

/// A lab that runs.
pub fn find(name: &LabName) -> Result<Lab, LabError> {
    match Lab::read(&directory(name)?) {
        Some(lab) if lab.state() == LabState::Running => Ok(lab),
        Some(_) => Err(LabError::NotRunning(name.to_string())),
        None => Err(LabError::NoSuchLab {
            name: name.to_string(),
            known: list()?.iter().map(|lab| lab.name.to_string()).collect(),
        }),
    }
}

/// A lab's folder, held by this process alone. The lock is on the folder itself, so that nothing
/// is left when the folder is removed.
pub struct Held {
    /// The folder.
    pub directory: PathBuf,
    _lock: fs::File,
}

impl Held {
    /// Makes the folder where it is missing, and waits until no other process holds it.
    pub fn create(name: &LabName) -> Result<Self, LabError> {
        let directory = directory(name)?;
        loop {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&directory)
                .map_err(|error| LabError::file("create", &directory, error))?;
            if let Some(held) = Self::lock(&directory)? {
                return Ok(held);
            }
        }
    }

    /// Waits until no other process holds the folder; none where there is no folder.
    pub fn existing(name: &LabName) -> Result<Option<Self>, LabError> {
        let directory = directory(name)?;
        while directory.exists() {
            if let Some(held) = Self::lock(&directory)? {
                return Ok(Some(held));
            }
        }
        Ok(None)
    }

    /// Locks the folder; none where another process removed it meanwhile.
    fn lock(directory: &Path) -> Result<Option<Self>, LabError> {
        let failed = |error: std::io::Error| LabError::file("lock", directory, error);
        let lock = match fs::File::open(directory) {
            Ok(lock) => lock,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
        let held = lock.metadata().map_err(failed)?;
        let same =
            fs::metadata(directory).is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino()));
        Ok(same.then(|| Self {
            directory: directory.to_owned(),
            _lock: lock,
        }))
    }

    /// Removes what is in the folder.
    pub fn empty(&self) -> Result<(), LabError> {
        let failed = |error: std::io::Error| LabError::file("empty", &self.directory, error);
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                fs::remove_dir_all(entry.path()).map_err(failed)?;
            } else {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Removes the folder, and those above it that hold nothing else.
    pub fn remove(self) -> Result<(), LabError> {
        self.empty()?;
        fs::remove_dir(&self.directory).map_err(|error| LabError::file("remove", &self.directory, error))?;
        for above in self.directory.ancestors().skip(1).take(2) {
            // Another lab's folder, or a journal, may be in it.
            let _ = fs::remove_dir(above);
        }
        Ok(())
    }
}
