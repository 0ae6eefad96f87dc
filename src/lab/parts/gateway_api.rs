//! The definitions of the Gateway API without which Istio's ambient mode makes no gateway: those of
//! the Go module in the version that the lab's istiod is built with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::pins::ISTIO;
use super::{build, resolve};
use crate::lab::error::LabError;
use crate::lab::programs;

const MODULE: &str = "sigs.k8s.io/gateway-api";
const FILE: &str = "gateway-api.yaml";
/// In the module's `config/crd/standard`.
const DEFINITIONS: [&str; 2] = [
    "gateway.networking.k8s.io_gatewayclasses.yaml",
    "gateway.networking.k8s.io_gateways.yaml",
];

/// A file with the definitions: one that is there, or one made of the module.
///
/// # Errors
///
/// Where `go` is missing, or does not get the module.
pub fn gateway_api() -> Result<PathBuf, LabError> {
    for directory in resolve::named_directories()? {
        let file = directory.join(FILE);
        if file.is_file() {
            return Ok(file);
        }
    }
    let cache = build::cache()?;
    let directory = cache.join(format!("gateway-api-{}", ISTIO.hash()));
    let file = directory.join(FILE);
    if file.is_file() {
        return Ok(file);
    }
    fs::create_dir_all(&directory).map_err(|error| LabError::file("create", &directory, error))?;
    let scratch = tempfile::Builder::new()
        .prefix(".gateway-api-")
        .tempdir_in(&cache)
        .map_err(|error| LabError::file("create a folder in", &cache, error))?;
    build::write_pins(&ISTIO, scratch.path())?;
    let definitions = module(scratch.path())?.join("config/crd/standard");
    let mut text = String::new();
    for name in DEFINITIONS {
        let path = definitions.join(name);
        let definition = fs::read_to_string(&path).map_err(|error| LabError::file("read", &path, error))?;
        text.push_str("---\n");
        text.push_str(&definition);
    }
    // Whole or not at all.
    let written = scratch.path().join(FILE);
    fs::write(&written, text).map_err(|error| LabError::file("write", &written, error))?;
    fs::rename(&written, &file).map_err(|error| LabError::file("write", &file, error))?;
    Ok(file)
}

/// Where `go` keeps the module, which it gets first where it has to.
fn module(scratch: &Path) -> Result<PathBuf, LabError> {
    let failed = |why: String| LabError::Build {
        what: MODULE.to_owned(),
        why,
    };
    let go = programs::find("go").ok_or_else(|| LabError::NoGo {
        parts: "the Gateway API's definitions were".to_owned(),
        many: true,
    })?;
    let output = Command::new(go)
        .args(["mod", "download", "-json", MODULE])
        .current_dir(scratch)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    match said["Dir"].as_str() {
        Some(directory) if output.status.success() => Ok(PathBuf::from(directory)),
        _ => {
            let why = said["Error"].as_str().map(str::to_owned);
            Err(failed(why.unwrap_or_else(|| {
                String::from_utf8_lossy(&output.stderr).trim().to_owned()
            })))
        }
    }
}
