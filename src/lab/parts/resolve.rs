//! Finding parts: a directory that the user names, envtest's, `PATH` where the version is the
//! pinned one, the cache; and what is nowhere is built.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::pins::{Module, Part};
use super::{Event, build};
use crate::lab::error::LabError;
use crate::lab::programs;

/// Where each part was found.
pub type Resolved = BTreeMap<Part, PathBuf>;

/// How long a program may take to say its version.
const VERSION_TIME: Duration = Duration::from_secs(5);

/// Finds parts, or builds those that are nowhere.
///
/// # Errors
///
/// Where a directory that the environment names does not exist, `go` is missing, or a build fails.
pub fn resolve(parts: &[Part], report: &dyn Fn(Event)) -> Result<Resolved, LabError> {
    let directories = named_directories()?;
    let mut resolved = Resolved::new();
    let mut missing: Vec<(&'static Module, Vec<Part>)> = Vec::new();
    for &part in parts {
        if let Some(path) = look_up(part, &directories)? {
            resolved.insert(part, path);
        } else if let Some((_, parts)) = missing.iter_mut().find(|(module, _)| *module == part.module()) {
            parts.push(part);
        } else {
            missing.push((part.module(), vec![part]));
        }
    }
    for (module, parts) in missing {
        let directory = build::build(module, &parts, report)?;
        resolved.extend(
            parts
                .into_iter()
                .map(|part| (part, directory.join(part.file_name()))),
        );
    }
    Ok(resolved)
}

/// The directories that the environment names, the first one first.
pub fn named_directories() -> Result<Vec<PathBuf>, LabError> {
    let mut directories = Vec::new();
    for variable in ["STOLOS_LAB_ASSETS", "KUBEBUILDER_ASSETS"] {
        directories.extend(named_directory(variable)?);
    }
    Ok(directories)
}

/// One directory that holds all the parts that were found: the one where they lie, or one of links
/// in the cache.
pub fn together(resolved: &Resolved) -> Result<PathBuf, LabError> {
    let mut directories = resolved.values().filter_map(|path| path.parent());
    if let Some(first) = directories.next()
        && directories.all(|directory| directory == first)
    {
        return Ok(first.to_owned());
    }
    let mut hasher = Sha256::new();
    for path in resolved.values() {
        hasher.update(path.as_os_str().as_encoded_bytes());
        hasher.update([0]);
    }
    let name: Vec<String> = hasher.finalize()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let directory = build::cache()?.join(format!("links-{}", name.concat()));
    link(resolved, &directory)?;
    Ok(directory)
}

/// Makes a directory of links to the parts. Links that are there already stay as they are.
pub fn link(resolved: &Resolved, directory: &Path) -> Result<(), LabError> {
    fs::create_dir_all(directory).map_err(|error| LabError::file("create", directory, error))?;
    for (part, path) in resolved {
        let place = directory.join(part.file_name());
        // What the environment names may itself be a directory of links, which may be removed.
        let target = path.canonicalize().unwrap_or_else(|_| path.clone());
        match std::os::unix::fs::symlink(target, &place) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(LabError::file("create", &place, error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn named_directory(variable: &'static str) -> Result<Option<PathBuf>, LabError> {
    let Some(path) = std::env::var_os(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(path);
    if path.is_dir() {
        Ok(Some(std::path::absolute(&path).unwrap_or(path)))
    } else {
        Err(LabError::NoAssets { variable, path })
    }
}

fn look_up(part: Part, directories: &[PathBuf]) -> Result<Option<PathBuf>, LabError> {
    let name = part.file_name();
    if let Some(path) = directories
        .iter()
        .map(|directory| directory.join(name))
        .find(|path| programs::is_program(path))
    {
        return Ok(Some(path));
    }
    // A distribution's own, of another version, is not what the lab was tried with.
    if let Some(path) = programs::find(name).filter(|path| says_pinned_version(part, path)) {
        return Ok(Some(path));
    }
    let cached = build::cache()?.join(part.module().hash()).join(name);
    Ok(Some(cached).filter(|path| programs::is_program(path)))
}

/// Whether a program says that its version is the pinned one.
fn says_pinned_version(part: Part, path: &Path) -> bool {
    let spawned = Command::new(path)
        .args(part.version_arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else {
        return false;
    };
    let deadline = Instant::now() + VERSION_TIME;
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.success(),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => break false,
        }
    };
    if !ended {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
        let _ = child.wait();
        return false;
    }
    let mut words = String::new();
    child
        .stdout
        .take()
        .is_some_and(|mut stdout| stdout.read_to_string(&mut words).is_ok())
        && part.module().is_named_in(&words)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(directory: &Path, name: &str, script: &str) -> PathBuf {
        let path = directory.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn only_the_pinned_version_counts() {
        let directory = tempfile::tempdir().unwrap();
        let version = Part::Kubectl.module().version();
        let says =
            |script: &str| says_pinned_version(Part::Kubectl, &program(directory.path(), "kubectl", script));
        assert!(says(&format!("echo \"Client Version: {version}\"")));
        assert!(!says("echo 'Client Version: v1.20.2'"));
        assert!(!says(&format!("echo 'Client Version: {version}'; exit 1")));
        assert!(!says("exit 0"));
    }

    #[test]
    fn parts_from_several_places_are_linked_together() {
        let (one, other, place) = (
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
            tempfile::tempdir().unwrap(),
        );
        let etcd = program(one.path(), "etcd", "");
        let kwok = program(other.path(), "kwok", "");
        let here = Resolved::from([(Part::Etcd, etcd.clone())]);
        assert_eq!(together(&here).unwrap(), one.path());
        let both = Resolved::from([(Part::Etcd, etcd.clone()), (Part::Kwok, kwok)]);
        link(&both, place.path()).unwrap();
        link(&both, place.path()).unwrap();
        assert_eq!(
            fs::read_link(place.path().join("etcd")).unwrap(),
            etcd.canonicalize().unwrap()
        );
        assert!(programs::is_program(&place.path().join("kwok")));
    }
}
