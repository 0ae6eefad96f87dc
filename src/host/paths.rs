//! Where this tool keeps its own files on this machine, by each system's conventions
//! (`XDG_DATA_HOME` and its like on Linux), and how files are replaced without a moment in which
//! half of one stands there.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// This tool's folders. They are named here and made by who writes into them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// What must not be lost: root keys.
    pub data: PathBuf,
    /// What is remembered between runs: the journal.
    pub state: PathBuf,
    /// What can be made again: istioctl's renderings, the lab's parts.
    pub cache: PathBuf,
}

impl Paths {
    /// The folders of the user who runs this process.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn of_environment() -> Result<Self> {
        let none = || {
            Error::request("find the folders of stolos: there is no home directory")
                .hint("set HOME, or XDG_DATA_HOME, XDG_STATE_HOME and XDG_CACHE_HOME")
        };
        let own = |folder: PathBuf| folder.join("stolos");
        Ok(Self {
            data: dirs::data_dir().map(own).ok_or_else(none)?,
            // Only Linux tells state from data.
            state: dirs::state_dir()
                .or_else(dirs::data_local_dir)
                .map(own)
                .ok_or_else(none)?,
            cache: dirs::cache_dir().map(own).ok_or_else(none)?,
        })
    }
}

/// A path as people write it in a file: `~` is the home directory, a relative path starts at `base`.
pub fn expand(path: &str, base: &Path) -> PathBuf {
    let home = || dirs::home_dir().unwrap_or_default();
    match path.strip_prefix('~') {
        Some("") => home(),
        Some(rest) if rest.starts_with('/') => home().join(rest.trim_start_matches('/')),
        _ => base.join(path),
    }
}

/// Replaces a file's content in one move: whoever reads it sees the old or the new. The file's
/// permissions stay; a link stays a link, and what it leads to is replaced.
///
/// # Errors
/// The operating system's.
pub fn replace(path: &Path, content: &str) -> std::io::Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".stolos-").tempfile_in(folder)?;
    new.write_all(content.as_bytes())?;
    let permissions = std::fs::metadata(&target)
        .map_or_else(|_| default_permissions(), |metadata| Some(metadata.permissions()));
    if let Some(permissions) = permissions {
        new.as_file().set_permissions(permissions)?;
    }
    new.as_file().sync_all()?;
    new.persist(&target)?;
    Ok(())
}

/// A temporary file is the user's alone; a file that colleagues share is not.
#[cfg(unix)]
fn default_permissions() -> Option<std::fs::Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn default_permissions() -> Option<std::fs::Permissions> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_expanded_as_people_write_them() {
        let base = Path::new("/fleet");
        assert_eq!(expand("a/b", base), Path::new("/fleet/a/b"));
        assert_eq!(expand("/a", base), Path::new("/a"));
        assert_eq!(expand("~user/a", base), Path::new("/fleet/~user/a"));
        let home = dirs::home_dir().unwrap();
        assert_eq!(expand("~/.kube/prod", base), home.join(".kube/prod"));
        assert_eq!(expand("~", base), home);
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_permissions_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::TempDir::new().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        replace(&file, "old").unwrap();
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o644
        );
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
