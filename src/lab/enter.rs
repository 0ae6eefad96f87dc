//! Using a lab: the environment that leads to it, and running a program in its namespaces.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::error::LabError;
use super::programs;
use super::record::Lab;

/// Variables that would send a request in the lab's network to a proxy outside of it.
const PROXIES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
];

/// The variables that lead kubectl, istioctl and stolos itself to a lab.
pub fn environment(lab: &Lab) -> Vec<(String, String)> {
    let parts = lab.parts();
    let path = std::env::var("PATH").unwrap_or_default();
    let first = parts.to_string_lossy();
    let path = if path.split(':').next() == Some(first.as_ref()) {
        path
    } else {
        format!("{first}:{path}")
    };
    [
        ("KUBECONFIG", lab.kubeconfig.to_string_lossy().into_owned()),
        ("PATH", path),
        (
            "STOLOS_ISTIOCTL",
            parts.join("istioctl").to_string_lossy().into_owned(),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Becomes a program in a lab's namespaces, in the same working directory, with the lab's
/// environment. The process's exit code is the program's.
pub fn enter(lab: &Lab, command: &[OsString]) -> Result<Infallible, LabError> {
    let supervisor = &lab.supervisor;
    let mut nsenter = Command::new(programs::need("nsenter")?);
    let option = |name: &str, kind: &str| {
        let mut option = OsString::from(format!("--{name}="));
        option.push(supervisor.namespace(kind));
        option
    };
    if lab.namespaces.contains('U') {
        nsenter.arg(option("user", "user")).arg("--preserve-credentials");
    }
    let directory = std::env::current_dir().unwrap_or_else(|_| "/".into());
    for variable in PROXIES {
        nsenter.env_remove(variable);
    }
    let error = nsenter
        .arg(option("net", "net"))
        .arg(option("mount", "mnt"))
        .arg(option("pid", "pid_for_children"))
        // Entering a mount namespace leads to its root.
        .args(["--", "sh", "-c", "cd -- \"$0\" 2>/dev/null; exec \"$@\""])
        .arg(directory)
        .args(command)
        .envs(environment(lab))
        .exec();
    Err(LabError::system(
        format!("run a program in the lab {}", lab.name),
        error,
    ))
}
