//! Where a fleet's root lies on this machine: in the data directory, or in files of the user's own.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::sign::RootKey;
use super::{KeyError, private_key, reason_against};
use crate::fleet::{Fleet, FleetName, Root};
use crate::host::sensitive::Sensitive;
use crate::trust::{Certificate, KeyOnHand, RootOnHand, parse_bundle};

const KEY_FILE: &str = "root-key.pem";
const CERTIFICATE_FILE: &str = "root-cert.pem";

/// Where a fleet's root lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootStore {
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// This tool's own directory for the fleet.
    Managed { directory: PathBuf },
    /// `spec.trust.certificateFile` and `keyFile`.
    Files {
        certificate: PathBuf,
        key: Option<PathBuf>,
    },
    /// Somebody else holds the root.
    Elsewhere,
}

impl RootStore {
    /// The directory under which this tool keeps roots: `stolos/trust` in the user's data directory.
    pub fn default_directory() -> Result<PathBuf, KeyError> {
        dirs::data_dir()
            .map(|directory| directory.join("stolos").join("trust"))
            .ok_or(KeyError::NoDataDirectory)
    }

    /// Where a fleet's root lies, by its file. Relative paths start at the fleet file's folder and
    /// `~/` is the home directory; `directory` is [`Self::default_directory`].
    pub fn of(fleet: &Fleet, fleet_folder: &Path, directory: &Path) -> Self {
        let trust = &fleet.spec.trust;
        let resolve = |path: &String| match (path.strip_prefix("~/"), dirs::home_dir()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => fleet_folder.join(path),
        };
        let place = match trust.root {
            Root::Managed => return Self::managed(directory, &fleet.metadata.name),
            Root::Files => Place::Files {
                certificate: (trust.certificate_file.as_ref())
                    .map_or_else(|| fleet_folder.join(CERTIFICATE_FILE), resolve),
                key: trust.key_file.as_ref().map(resolve),
            },
            Root::Csr | Root::External => Place::Elsewhere,
        };
        Self { place }
    }

    /// The place of a root that this tool makes.
    pub fn managed(directory: &Path, fleet: &FleetName) -> Self {
        Self {
            place: Place::Managed {
                directory: directory.join(fleet.as_str()),
            },
        }
    }

    /// What of the root is here. Needs no passphrase; what is wrong is part of the answer, since
    /// much can be done without a root.
    pub fn inspect(&self, now: Timestamp) -> RootOnHand {
        let mut root = RootOnHand::default();
        if self.place == Place::Elsewhere {
            return root;
        }
        match self.key_form() {
            Ok(key) => root.key = key,
            Err(error) => root.problem = Some(error.to_string()),
        }
        match self.certificate() {
            Ok(certificate) => {
                if !certificate.is_valid_at(now) {
                    root.problem = Some(format!(
                        "the root on this machine is valid from {} to {}",
                        certificate.not_before, certificate.not_after
                    ));
                }
                if !certificate.may_sign_revocation_lists() {
                    root.remarks.push(
                        "the root may not sign revocation lists (its keyUsage lacks cRLSign): istiod will refuse any `ca-crl.pem`"
                            .to_owned(),
                    );
                }
                root.certificate = Some(certificate);
            }
            // Our own place, where nothing was ever put, is no problem.
            Err(KeyError::NoRoot { .. })
                if root.key == KeyOnHand::Absent && matches!(self.place, Place::Managed { .. }) => {}
            Err(error) => root.problem = Some(error.to_string()),
        }
        if root.key == KeyOnHand::Plain {
            root.remarks.push(format!(
                "the root's key lies unencrypted in {}",
                self.key_path()
                    .map_or_else(String::new, |path| path.display().to_string())
            ));
        }
        if let Some(path) = self.key_path()
            && is_open_to_others(&path)
        {
            root.remarks.push(format!(
                "others can read the root's key: `chmod 600 {}`",
                path.display()
            ));
        }
        root
    }

    /// Makes the fleet's root and stores it, encrypted where there is a passphrase. Both files
    /// appear at once or not at all, and a root that is there is never overwritten, whoever wins a race.
    pub fn make(
        &self,
        fleet: &FleetName,
        passphrase: Option<&Sensitive>,
        now: Timestamp,
    ) -> Result<RootKey, KeyError> {
        let Place::Managed { directory } = &self.place else {
            return Err(KeyError::Signing(
                "make a root where the fleet file says that it lies elsewhere",
            ));
        };
        let stored = || KeyError::AlreadyStored {
            path: directory.clone(),
        };
        if is_occupied(directory) {
            return Err(stored());
        }
        let parent = directory
            .parent()
            .ok_or(KeyError::Signing("make a root without a directory to keep it in"))?;
        private_directory(true)
            .create(parent)
            .map_err(KeyError::file("make the directory", parent))?;
        // A root that nobody signed with yet is worth nothing: one left by a killed run is taken away.
        let lock_path = parent.join(".lock");
        let lock = private_file(false)
            .open(&lock_path)
            .map_err(KeyError::file("open", &lock_path))?;
        lock.lock().map_err(KeyError::file("lock", &lock_path))?;
        if is_occupied(directory) {
            return Err(stored());
        }
        let unfinished = parent.join(format!(".{fleet}.unfinished"));
        match fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(KeyError::file("take away", &unfinished)(error));
            }
            _ => {}
        }
        let root = RootKey::make(fleet, now)?;
        private_directory(false)
            .create(&unfinished)
            .map_err(KeyError::file("make the directory", &unfinished))?;
        write_new(
            &unfinished.join(KEY_FILE),
            private_key::to_pem(root.pair(), passphrase)?.expose(),
        )?;
        write_new(&unfinished.join(CERTIFICATE_FILE), &root.certificate().pem)?;
        sync_directory(&unfinished)?;
        // Renaming a directory replaces an empty one at most.
        fs::rename(&unfinished, directory).map_err(|error| {
            if is_occupied(directory) {
                stored()
            } else {
                KeyError::file("put in place", directory)(error)
            }
        })?;
        sync_directory(parent)?;
        Ok(root)
    }

    /// Unlocks the root for signing; `passphrase` is only called where the key is encrypted.
    pub fn unlock<E: From<KeyError>>(
        &self,
        passphrase: impl FnOnce() -> Result<Option<Sensitive>, E>,
    ) -> Result<RootKey, E> {
        let certificate = self.certificate()?;
        let path = self.key_path().ok_or_else(|| KeyError::NoKey {
            place: "the fleet file names no `spec.trust.keyFile`".to_owned(),
        })?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => Sensitive::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(E::from(KeyError::NoKey {
                    place: path.display().to_string(),
                }));
            }
            Err(error) => return Err(E::from(KeyError::file("read", &path)(error))),
        };
        let passphrase = match private_key::form(text.expose()) {
            Some(KeyOnHand::Encrypted) => passphrase()?,
            _ => None,
        };
        let pair = private_key::read(&text, &path, &certificate, passphrase.as_ref())?;
        if !private_key::belongs(&pair, &certificate) {
            return Err(E::from(KeyError::KeyMismatch {
                path,
                sha256: certificate.sha256,
            }));
        }
        Ok(RootKey::new(certificate, pair))
    }

    /// The root's certificate, where it can be a mesh's root.
    fn certificate(&self) -> Result<Certificate, KeyError> {
        let path = match &self.place {
            Place::Managed { directory } => directory.join(CERTIFICATE_FILE),
            Place::Files { certificate, .. } => certificate.clone(),
            Place::Elsewhere => {
                return Err(KeyError::NoKey {
                    place: "the fleet file says that somebody else holds it".to_owned(),
                });
            }
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::NoRoot { path });
            }
            Err(error) => return Err(KeyError::file("read", &path)(error)),
        };
        let mut certificates = parse_bundle(&text).map_err(|source| KeyError::Certificate {
            path: path.clone(),
            source,
        })?;
        let not_a_root = |reason| KeyError::NotARoot { path, reason };
        if certificates.len() > 1 {
            return Err(not_a_root(format!(
                "it holds {} certificates; give the root alone",
                certificates.len()
            )));
        }
        let certificate = certificates.remove(0);
        match reason_against(&certificate) {
            None => Ok(certificate),
            Some(reason) => Err(not_a_root(reason)),
        }
    }

    fn key_path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Managed { directory } => Some(directory.join(KEY_FILE)),
            Place::Files { key, .. } => key.clone(),
            Place::Elsewhere => None,
        }
    }

    fn key_form(&self) -> Result<KeyOnHand, KeyError> {
        let Some(path) = self.key_path() else {
            return Ok(KeyOnHand::Absent);
        };
        match fs::read_to_string(&path).map(Sensitive::new) {
            Ok(text) => private_key::form(text.expose()).ok_or(KeyError::Key {
                path,
                reason: "there is no private key in it",
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KeyOnHand::Absent),
            Err(error) => Err(KeyError::file("read", &path)(error)),
        }
    }
}

/// Whether something lies at the place of a root: a directory with anything in it, or another file.
fn is_occupied(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), KeyError> {
    let mut file = private_file(true)
        .open(path)
        .map_err(KeyError::file("make the file", path))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(KeyError::file("write", path))
}

#[cfg(unix)]
fn private_file(new: bool) -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create(true).create_new(new).mode(0o600);
    options
}

#[cfg(unix)]
fn private_directory(recursive: bool) -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = DirBuilder::new();
    builder.recursive(recursive).mode(0o700);
    builder
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> Result<(), KeyError> {
    fs::File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(KeyError::file("write", path))
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

// Elsewhere the user's profile directory is private by itself, and directories cannot be synced.

#[cfg(not(unix))]
fn private_file(new: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).create_new(new);
    options
}

#[cfg(not(unix))]
fn private_directory(recursive: bool) -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(recursive);
    builder
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(not(unix))]
fn is_open_to_others(_path: &Path) -> bool {
    false
}
