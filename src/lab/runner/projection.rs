//! Files of a volume on disk, laid out as kubelets do, so that all of them change at once and
//! whoever watches the folder sees it: `..data` is a link to a folder of this moment's files, and
//! each file is a link through it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

/// A file's rights and bytes.
pub type Files = BTreeMap<String, (u32, Vec<u8>)>;

const CURRENT: &str = "..data";

/// Makes a volume's folder hold some files and no others. Gives whether anything changed.
pub fn project(folder: &Path, files: &Files) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    let before = fs::read_link(folder.join(CURRENT)).ok();
    if before
        .as_ref()
        .is_some_and(|name| holds(&folder.join(name), files))
    {
        return Ok(false);
    }
    let number = before
        .as_ref()
        .and_then(|name| name.to_str()?.strip_prefix("..")?.parse::<u64>().ok())
        .unwrap_or(0)
        + 1;
    let name = format!("..{number}");
    let fresh = folder.join(&name);
    // Left where the lab was killed in between.
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir(&fresh)?;
    for (path, (mode, bytes)) in files {
        let place = fresh.join(path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&place)?;
        file.write_all(bytes)?;
        file.set_permissions(fs::Permissions::from_mode(*mode))?;
    }
    let link = folder.join("..data_tmp");
    let _ = fs::remove_file(&link);
    symlink(&name, &link)?;
    fs::rename(&link, folder.join(CURRENT))?;

    let wanted: BTreeSet<&str> = files.keys().filter_map(|path| path.split('/').next()).collect();
    for name in &wanted {
        let place = folder.join(name);
        if fs::symlink_metadata(&place).is_err() {
            symlink(Path::new(CURRENT).join(name), place)?;
        }
    }
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with("..") && !wanted.contains(name.as_ref()) && entry.file_type()?.is_symlink() {
            fs::remove_file(entry.path())?;
        }
    }
    if let Some(before) = before {
        fs::remove_dir_all(folder.join(before))?;
    }
    Ok(true)
}

/// Whether a folder holds just these files.
fn holds(folder: &Path, files: &Files) -> bool {
    let same = files.iter().all(|(path, (mode, bytes))| {
        let place = folder.join(path);
        fs::metadata(&place).is_ok_and(|metadata| metadata.permissions().mode() & 0o777 == *mode)
            && fs::read(&place).is_ok_and(|found| &found == bytes)
    });
    same && count(folder) == files.len()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => count(&entry.path()),
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (0o640, text.as_bytes().to_vec())))
            .collect()
    }

    #[test]
    fn files_change_together_and_go() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("volume");
        let read = |path: &str| fs::read_to_string(folder.join(path)).ok();
        assert!(project(&folder, &files(&[("a", "1"), ("sub/b", "2")])).unwrap());
        assert_eq!(read("a").as_deref(), Some("1"));
        assert_eq!(read("sub/b").as_deref(), Some("2"));
        assert!(!project(&folder, &files(&[("a", "1"), ("sub/b", "2")])).unwrap());

        let first = fs::read_link(folder.join("..data")).unwrap();
        assert!(project(&folder, &files(&[("a", "3")])).unwrap());
        assert_eq!(read("a").as_deref(), Some("3"));
        assert_eq!(read("sub/b"), None);
        assert!(!folder.join(first).exists());
        assert!(fs::symlink_metadata(folder.join("sub")).is_err());
        let mode = fs::metadata(folder.join("a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);

        assert!(project(&folder, &Files::new()).unwrap());
        assert_eq!(read("a"), None);
    }
}
