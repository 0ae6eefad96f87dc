//! Building parts with `go build` from the pins that are carried, into the user's cache directory:
//! one folder a module, named by the hash of what its programs depend on.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::fs::FlockOperation;

use super::Event;
use super::pins::{Module, Part};
use crate::lab::error::LabError;
use crate::lab::programs;

/// The last lines of `go` that an error repeats.
const TAIL: usize = 12;

/// The folder of all modules' programs.
pub fn cache() -> Result<PathBuf, LabError> {
    dirs::cache_dir()
        .map(|directory| directory.join("stolos").join("parts"))
        .ok_or_else(|| LabError::system("find the cache directory", "HOME is not set"))
}

/// Builds those of a module's parts that its folder lacks, and gives the folder. Of several
/// processes that want the same, one builds and the others wait.
pub fn build(module: &Module, parts: &[Part], report: &dyn Fn(Event)) -> Result<PathBuf, LabError> {
    let cache = cache()?;
    let directory = cache.join(module.hash());
    fs::create_dir_all(&directory).map_err(|error| LabError::file("create", &directory, error))?;
    let _lock = lock(&directory, module, report)?;
    let missing: Vec<Part> = parts
        .iter()
        .copied()
        .filter(|part| !programs::is_program(&directory.join(part.file_name())))
        .collect();
    if missing.is_empty() {
        return Ok(directory);
    }
    let names: Vec<&'static str> = missing.iter().map(|part| part.file_name()).collect();
    let Some(go) = programs::find("go") else {
        return Err(LabError::NoGo {
            parts: format!(
                "{} {}",
                names.join(", "),
                if names.len() > 1 { "were" } else { "was" }
            ),
            many: names.len() > 1,
        });
    };
    report(Event::Building {
        what: module.label(),
        parts: names,
    });
    let started = Instant::now();
    let prefix = format!(".build-{}-", module.hash());
    clean(&cache, &prefix);
    // In the cache: a program is moved to its place by its name alone, whole or not at all.
    let scratch = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(&cache)
        .map_err(|error| LabError::file("create a folder in", &cache, error))?;
    write_pins(module, scratch.path())?;
    let output = scratch.path().join("out");
    fs::create_dir(&output).map_err(|error| LabError::file("create", &output, error))?;
    // One after the other: with one package, `-o` can name the file, and the linkers of several
    // such programs at once take more memory than a small machine has.
    for part in missing {
        let file = output.join(part.file_name());
        run_go(&go, module, part, scratch.path(), &file, report)?;
        let place = directory.join(part.file_name());
        fs::rename(&file, &place).map_err(|error| LabError::file("write", &place, error))?;
    }
    report(Event::Built {
        what: module.label(),
        took: started.elapsed(),
        directory: directory.clone(),
    });
    Ok(directory)
}

/// Writes the pins of a module where `go` looks for them.
pub fn write_pins(module: &Module, directory: &Path) -> Result<(), LabError> {
    for (name, text) in [("go.mod", module.go_mod), ("go.sum", module.go_sum)] {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|error| LabError::file("write", &path, error))?;
    }
    Ok(())
}

/// Removes what a build that was killed left; this process holds the lock, so none goes on.
fn clean(cache: &Path, prefix: &str) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // What cannot be removed is only in the way of other things.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Holds a module's folder; the lock is on the folder itself and ends with the process.
fn lock(directory: &Path, module: &Module, report: &dyn Fn(Event)) -> Result<fs::File, LabError> {
    let failed = |error: std::io::Error| LabError::file("lock", directory, error);
    let folder = fs::File::open(directory).map_err(failed)?;
    if rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).is_err() {
        report(Event::Waiting { what: module.label() });
        rustix::fs::flock(&folder, FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
    }
    Ok(folder)
}

fn run_go(
    go: &Path,
    module: &Module,
    part: Part,
    scratch: &Path,
    file: &Path,
    report: &dyn Fn(Event),
) -> Result<(), LabError> {
    let failed = |why: String| LabError::Build {
        what: module.label(),
        why,
    };
    let mut child = Command::new(go)
        // The cache may lie in somebody's repository.
        .args(["build", "-v", "-buildvcs=false", "-trimpath"])
        .args(["-ldflags", &module.linker_flags(), "-o"])
        .arg(file)
        .arg(part.package())
        .current_dir(scratch)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off")
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut tail: VecDeque<String> = VecDeque::new();
    let mut packages = 0;
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // With `-v`, go names each package that it compiles, and what it downloads.
            let fetching = line.starts_with("go: ");
            packages += usize::from(!fetching);
            let now = match line.strip_prefix("go: ") {
                Some(line) => line.to_owned(),
                None => line.clone(),
            };
            report(Event::Progress { packages, now });
            if tail.len() == TAIL {
                tail.pop_front();
            }
            tail.push_back(line);
        }
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(format!(
            "{status}; its last words:\n  {}",
            Vec::from(tail).join("\n  ")
        )))
    }
}
