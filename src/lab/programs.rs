//! The programs of the system that a lab is made with, and whether this machine can have one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{LabError, Lack};

/// Where programs for administrators lie; a user's `PATH` often leaves these out.
const ADMINISTRATORS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The programs, and the Debian package that brings each.
const NEEDED: [(&str, &str); 7] = [
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
    ("ip", "iproute2"),
    ("chroot", "coreutils"),
    ("sleep", "coreutils"),
    ("sh", "dash"),
];

/// Finds a program in `PATH`, and where programs for administrators lie.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(ADMINISTRATORS.map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| is_program(candidate))
}

/// Finds a program that a lab cannot do without.
pub fn need(name: &str) -> Result<PathBuf, LabError> {
    find(name).ok_or_else(|| LabError::Lacking(missing(&[name])))
}

/// Whether a path is a file that can be run.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Which namespaces a lab gets: a user namespace where that can be had, else (as root) none.
pub fn namespaces() -> Result<&'static str, LabError> {
    let lacks = missing(&NEEDED.map(|(name, _)| name));
    if !lacks.is_empty() {
        return Err(LabError::Lacking(lacks));
    }
    let mut last = String::new();
    let choices: &[&str] = if rustix::process::geteuid().is_root() {
        &["-Urnpm", "-npm"]
    } else {
        &["-Urnpm"]
    };
    for &choice in choices {
        match try_namespaces(choice) {
            Ok(()) => return Ok(choice),
            Err(why) => last = why,
        }
    }
    Err(LabError::Lacking(vec![refused(&last)]))
}

/// Makes the namespaces once, with what a lab needs in them.
fn try_namespaces(choice: &str) -> Result<(), String> {
    let script = "ip link set lo up && ip link add br0 type bridge && \
                  ip link add v0 type veth peer name v1 && ip link set v0 master br0";
    let output = Command::new("unshare")
        .args([
            choice,
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
            script,
        ])
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(said.lines().next().unwrap_or("it said nothing").to_owned())
    }
}

/// `PATH` with the places of programs for administrators.
pub fn search_path() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::env::split_paths(&path).chain(ADMINISTRATORS.map(PathBuf::from));
    std::env::join_paths(all).unwrap_or(path)
}

fn missing(names: &[&str]) -> Vec<Lack> {
    let absent: Vec<(&str, &str)> = NEEDED
        .into_iter()
        .filter(|(name, _)| names.contains(name) && find(name).is_none())
        .collect();
    let mut packages: Vec<&str> = absent.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    let remedy = format!("install them, as with: apt-get install {}", packages.join(" "));
    absent
        .iter()
        .map(|(name, _)| Lack {
            what: format!("the program `{name}` is missing"),
            remedy: remedy.clone(),
        })
        .collect()
}

/// Says which switch of the kernel refuses namespaces, where one can be seen to.
fn refused(said: &str) -> Lack {
    let what = format!("namespaces with a bridge in them cannot be made (`unshare -Urnpm` said: {said})");
    let switch = |name: &str| {
        std::fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/")))
            .ok()
            .map(|text| text.trim().to_owned())
    };
    let switches = [
        ("user.max_user_namespaces", "0", "15000"),
        ("user.max_net_namespaces", "0", "15000"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ];
    let remedies: Vec<String> = switches
        .iter()
        .filter(|(name, refusing, _)| switch(name).as_deref() == Some(refusing))
        .map(|(name, _, allowing)| format!("sysctl -w {name}={allowing}"))
        .collect();
    let remedy = if remedies.is_empty() {
        "run as root, or in a container with --privileged (or with CAP_SYS_ADMIN and no seccomp filter on unshare); \
         the kernel modules `bridge` and `veth` are needed as well: modprobe -a bridge veth"
            .to_owned()
    } else {
        format!("as root: {}", remedies.join(" && "))
    };
    Lack { what, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        assert!(find("sh").is_some());
        assert_eq!(find("no-such-program-anywhere"), None);
        let lack = refused("unshare: unshare failed: Operation not permitted");
        assert!(lack.what.contains("Operation not permitted"), "{lack:?}");
        assert!(!lack.remedy.is_empty());
    }
}
