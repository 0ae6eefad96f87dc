//! `install.sh`, with a cargo that hands out the binary that the tests were built with: what lands
//! where, and what `--uninstall` leaves.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::harness::Home;

fn run(home: &Home, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
    Command::new("sh")
        .arg(script)
        .args(arguments)
        .env_clear()
        .env("HOME", home.path(""))
        .env("PATH", format!("{}:/usr/bin:/bin", home.path("tools").display()))
        .current_dir(home.path(""))
        .output()
        .unwrap()
}

/// Every file under a folder, from the folder on.
fn files(folder: &Path) -> Vec<String> {
    let mut folders = vec![folder.to_owned()];
    let mut found: Vec<PathBuf> = Vec::new();
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    let mut names: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(folder).unwrap().display().to_string())
        .collect();
    names.sort();
    names
}

#[test]
fn it_installs_and_takes_back() {
    let home = Home::new();
    let target = home.path("target");
    home.write(
        "tools/cargo",
        &format!(
            "#!/bin/sh\ncase \"$1\" in\nbuild) mkdir -p {target}/release && cp {binary} {target}/release/stolos ;;\n\
             metadata) echo '{{\"packages\":[],\"target_directory\":\"{target}\",\"version\":1}}' ;;\nesac\n",
            target = target.display(),
            binary = env!("CARGO_BIN_EXE_stolos"),
        ),
    );
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(home.path("tools/cargo"), executable).unwrap();
    home.write("prefix/share/man/man1/other.1", "not ours");

    let installed = run(&home, &["--prefix", "prefix"]);
    let said = String::from_utf8(installed.stdout).unwrap();
    assert!(
        installed.status.success(),
        "{}",
        String::from_utf8_lossy(&installed.stderr)
    );
    assert!(said.contains("installed stolos "), "{said}");
    assert!(said.contains("to your PATH"), "{said}");
    let found = files(&home.path("prefix"));
    for wanted in [
        "bin/stolos",
        "share/bash-completion/completions/stolos",
        "share/fish/vendor_completions.d/stolos.fish",
        "share/man/man1/stolos.1",
        "share/man/man1/stolos-contexts.1",
        "share/zsh/site-functions/_stolos",
    ] {
        assert!(
            found.iter().any(|file| file == wanted),
            "{wanted} is missing from {found:?}"
        );
    }
    assert!(
        Command::new(home.path("prefix/bin/stolos"))
            .arg("--version")
            .status()
            .unwrap()
            .success()
    );

    assert!(
        run(&home, &["--uninstall", "--prefix", "prefix"])
            .status
            .success()
    );
    assert_eq!(files(&home.path("prefix")), ["share/man/man1/other.1"]);
}

#[test]
fn it_says_what_is_missing() {
    let home = Home::new();
    std::fs::create_dir(home.path("tools")).unwrap();
    let without_cargo = run(&home, &[]);
    assert_eq!(without_cargo.status.code(), Some(1));
    assert!(
        String::from_utf8(without_cargo.stderr)
            .unwrap()
            .contains("cargo is not in the PATH")
    );
    assert_eq!(run(&home, &["--what"]).status.code(), Some(2));
}
