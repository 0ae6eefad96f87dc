//! Where a plugin's program is (Go `os/exec.LookPath`, `path/filepath.Clean`).

use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};

/// A path without `.`, doubled and trailing separators, and `..` that undo a folder: by its letters
/// alone.
pub(super) fn clean(path: &str) -> String {
    let mut cleaned = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match cleaned.components().next_back() {
                Some(Component::Normal(_)) => {
                    cleaned.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => cleaned.push(component),
            },
            _ => cleaned.push(component),
        }
    }
    if cleaned.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        cleaned.to_string_lossy().into_owned()
    }
}

/// The program of a command: the path itself where it is one, else the first of that name in
/// `PATH`. The working directory is never searched, not even where `PATH` has an empty entry.
pub(super) fn find(command: &str) -> Option<PathBuf> {
    let command = clean(command);
    if command.contains(MAIN_SEPARATOR) {
        return executable(Path::new(&command));
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .filter(|folder| folder.is_absolute())
        .find_map(|folder| executable(&folder.join(&command)))
}

#[cfg(unix)]
fn executable(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = path.metadata().ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then(|| path.to_owned())
}

#[cfg(not(unix))]
fn executable(path: &Path) -> Option<PathBuf> {
    if path.extension().is_some() && path.is_file() {
        return Some(path.to_owned());
    }
    ["exe", "com", "bat", "cmd"]
        .iter()
        .map(|extension| path.with_extension(extension))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn paths_are_cleaned_as_go_cleans_them() {
        for (path, cleaned) in [
            ("/a/./b//c/", "/a/b/c"),
            ("/a/../b", "/b"),
            ("/../b", "/b"),
            ("../b", "../b"),
            ("a/../../b", "../b"),
            ("", "."),
            ("./a", "a"),
        ] {
            assert_eq!(clean(path), cleaned, "{path:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn only_programs_are_found() {
        assert!(find("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(find("/"), None);
        assert_eq!(find("/etc/passwd"), None);
        assert_eq!(find("a-program-that-nobody-has"), None);
    }
}
