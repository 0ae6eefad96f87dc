//! A lab's own fleet file, and this program at work on it.

use std::path::PathBuf;
use std::process::Command as Process;

use crate::error::{Error, ErrorKind, Result};
use crate::fleet::{DataPlaneMode, Model};
use crate::lab::{self, Lab};
use crate::render::Terminal;

/// Where the fleet file is; it goes with the lab.
pub fn file(lab: &Lab) -> PathBuf {
    lab.directory.join("stolos.yaml")
}

/// The pattern that means all contexts of a lab.
pub fn contexts(lab: &Lab) -> String {
    format!("{}-*", lab.name)
}

/// Writes the fleet file of a model, as a person would.
pub fn init(lab: &Lab, model: Model, mode: DataPlaneMode, terminal: &Terminal) -> Result<()> {
    let (contexts, name) = (contexts(lab), lab.name.as_str());
    let model = model.as_str();
    let mut arguments = vec![
        "init",
        "--yes",
        "--context",
        &contexts,
        "--model",
        model,
        "--name",
        name,
    ];
    if mode != DataPlaneMode::default() {
        arguments.extend(["--data-plane-mode", mode.as_str()]);
    }
    stolos(&arguments, lab, terminal)
}

/// A command line as a person types it.
fn shown(arguments: &[&str]) -> String {
    let quoted: Vec<String> = arguments
        .iter()
        .map(|argument| {
            if argument.contains('*') {
                format!("'{argument}'")
            } else {
                (*argument).to_owned()
            }
        })
        .collect();
    quoted.join(" ")
}

/// Runs this program as a person would in the lab's environment; what it keeps on this machine (the
/// root, the journal) is kept in the lab's folder, to go with it.
pub fn stolos(arguments: &[&str], lab: &Lab, terminal: &Terminal) -> Result<()> {
    terminal.say(&format!("$ stolos {}", shown(arguments)));
    let broken = |reason: String| {
        Error::new(
            ErrorKind::Bug,
            format!("run stolos {}: {reason}", shown(arguments)),
        )
    };
    let program = std::env::current_exe().map_err(|error| broken(error.to_string()))?;
    let status = Process::new(program)
        .args(arguments)
        .envs(lab::environment(lab))
        .env("STOLOS_FLEET", file(lab))
        .env("XDG_DATA_HOME", lab.directory.join("data"))
        .env("XDG_STATE_HOME", lab.directory.join("state"))
        .status()
        .map_err(|error| broken(error.to_string()))?;
    match status.code() {
        Some(0) => Ok(()),
        // It has said why.
        Some(1) => Err(Error::already_said(ErrorKind::Request)),
        Some(3) => Err(Error::already_said(ErrorKind::Differs)),
        Some(4) => Err(Error::already_said(ErrorKind::Partial)),
        Some(5) => Err(Error::already_said(ErrorKind::Unreachable)),
        _ => Err(broken(format!("it ended with {status}"))),
    }
}
