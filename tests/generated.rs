//! What is generated from the command line and committed is current: `completions/` and `man/`.
//! `UPDATE=1 cargo test --test generated` renews them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the binary prints for these arguments.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stolos"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Every file of a folder by its name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Compares a folder with what should be in it, or makes it so where `UPDATE` is set.
fn assert_current(name: &str, wanted: &BTreeMap<String, String>) {
    let folder = folder(name);
    if std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty()) {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (file, text) in wanted {
            std::fs::write(folder.join(file), text).unwrap();
        }
        return;
    }
    let found = files(&folder);
    let stale: Vec<&String> = wanted
        .iter()
        .filter(|(file, text)| found.get(*file) != Some(text))
        .map(|(file, _)| file)
        .chain(found.keys().filter(|file| !wanted.contains_key(*file)))
        .collect();
    assert!(
        stale.is_empty(),
        "not current in {name}/: {stale:?}; `UPDATE=1 cargo test --test generated` renews them"
    );
}

#[test]
fn completions_are_current() {
    let shells = [
        ("bash", "stolos.bash"),
        ("zsh", "_stolos"),
        ("fish", "stolos.fish"),
        ("elvish", "stolos.elv"),
        ("powershell", "_stolos.ps1"),
    ];
    let wanted = shells
        .iter()
        .map(|(shell, file)| ((*file).to_owned(), printed(&["completion", shell])))
        .collect();
    assert_current("completions", &wanted);
}

#[test]
fn man_pages_are_current() {
    let written = tempfile::TempDir::new().unwrap();
    printed(&["man", "--out", written.path().to_str().unwrap()]);
    let wanted = files(written.path());
    assert!(wanted.contains_key("stolos.1"));
    assert_current("man", &wanted);
}
