//! Keys on this machine: the fleet's root, which never leaves it, and the intermediates that it
//! signs. Nothing here prints or logs; keys and passphrases are [`Sensitive`], and no error repeats
//! a word of what was read.
//!
//! ```text
//! <data directory>/stolos/trust/<fleet>/root-key.pem    0600, PKCS#8, encrypted with a passphrase or not
//!                                       root-cert.pem   0600
//! ```

mod private_key;
mod sign;
mod store;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;

use crate::error::{Error as Shown, ErrorKind};
use crate::host::sensitive::Sensitive;
use crate::trust::{Certificate, CertificateError, ChainError};

pub use private_key::key_matches;
pub use sign::{CaCertificates, ROOT_DAYS, RootKey};
pub use store::RootStore;

/// What can go wrong with keys.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A file or directory could not be read or written.
    #[error("{doing} {path}: {source}", path = path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// Why it failed; the operating system's words.
        source: io::Error,
    },
    /// This machine has no directory for data.
    #[error("find the directory for this user's data: the environment names no home")]
    NoDataDirectory,
    /// A root is stored under the fleet's name already.
    #[error("make a root: {path} holds one already, and a root is never overwritten", path = path.display())]
    AlreadyStored {
        /// Where it lies.
        path: PathBuf,
    },
    /// A root is wanted and there is none.
    #[error("read the root in {path}: there is none on this machine", path = path.display())]
    NoRoot {
        /// Where it would lie.
        path: PathBuf,
    },
    /// The root's key is wanted and is not here.
    #[error("read the root's key: it is not on this machine ({place})")]
    NoKey {
        /// Where it would lie.
        place: String,
    },
    /// The key is encrypted and nobody gave a passphrase.
    #[error("read the key {path}: it is encrypted, and no passphrase was given", path = path.display())]
    PassphraseWanted {
        /// The key's file.
        path: PathBuf,
    },
    /// The passphrase is not the key's.
    #[error("decrypt the key {path}: the passphrase is not its passphrase", path = path.display())]
    WrongPassphrase {
        /// The key's file.
        path: PathBuf,
    },
    /// A passphrase file holds nothing.
    #[error("read the passphrase in {path}: its first line is empty", path = path.display())]
    EmptyPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// A key cannot be used.
    #[error("read the key {path}: {reason}", path = path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A certificate cannot be read.
    #[error("read the root certificate {path}: {source}", path = path.display())]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// A certificate can be read and cannot be the root.
    #[error("use the certificate {path} as the root: {reason}", path = path.display())]
    NotARoot {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is another certificate's.
    #[error("use the root {sha256}: the key in {path} is not its key", path = path.display())]
    KeyMismatch {
        /// The key's file.
        path: PathBuf,
        /// The certificate's fingerprint.
        sha256: String,
    },
    /// The plan wants another root's signature.
    #[error("sign with the root {wanted}: the root on this machine is {found}")]
    AnotherRoot {
        /// The root that the plan wants.
        wanted: String,
        /// The root that is here.
        found: String,
    },
    /// The root has ended, or not begun.
    #[error("sign with the root {sha256}: it is valid from {not_before} to {not_after}, not at {at}")]
    RootNotValid {
        /// The root's fingerprint.
        sha256: String,
        /// When it begins.
        not_before: Timestamp,
        /// When it ends.
        not_after: Timestamp,
        /// When it was to be used.
        at: Timestamp,
    },
    /// What was signed does not chain to the root: a name or an algorithm that was not carried over.
    #[error("sign an intermediate with the root {sha256}: the result does not verify: {source}")]
    DoesNotVerify {
        /// The root's fingerprint.
        sha256: String,
        /// Why not.
        source: ChainError,
    },
    /// The library could not do it.
    #[error("{0}")]
    Signing(&'static str),
}

impl KeyError {
    fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| KeyError::File { doing, path, source }
    }

    fn hint(&self) -> Option<String> {
        match self {
            KeyError::AlreadyStored { .. } => {
                Some("`stolos trust show` says which root it is; `stolos apply` uses it".to_owned())
            }
            KeyError::NoRoot { .. } => Some(
                "work on the machine that made the root, or copy its directory here by a safe way".to_owned(),
            ),
            KeyError::NoKey { .. } => Some("work on the machine that has the key".to_owned()),
            KeyError::PassphraseWanted { .. } => {
                Some("run it on a terminal, or give `--passphrase-file FILE`".to_owned())
            }
            KeyError::WrongPassphrase { .. } => Some(
                "`openssl pkey -noout -in KEY` asks for the passphrase too and shows whether it fits"
                    .to_owned(),
            ),
            KeyError::EmptyPassphrase { .. } => {
                Some("write the passphrase into the file's first line".to_owned())
            }
            KeyError::Key { .. } => Some(
                "`openssl pkcs8 -topk8 -in KEY -out NEW` writes a key in the form that is read here"
                    .to_owned(),
            ),
            KeyError::KeyMismatch { .. } => {
                Some("give the key that belongs to the certificate in `spec.trust.keyFile`".to_owned())
            }
            KeyError::File { .. }
            | KeyError::NoDataDirectory
            | KeyError::Certificate { .. }
            | KeyError::NotARoot { .. }
            | KeyError::AnotherRoot { .. }
            | KeyError::RootNotValid { .. }
            | KeyError::DoesNotVerify { .. }
            | KeyError::Signing(_) => None,
        }
    }
}

impl From<KeyError> for Shown {
    fn from(error: KeyError) -> Self {
        let kind = match error {
            KeyError::Signing(_) | KeyError::DoesNotVerify { .. } => ErrorKind::Bug,
            _ => ErrorKind::Request,
        };
        let shown = Shown::new(kind, error.to_string());
        match error.hint() {
            Some(hint) => shown.hint(hint),
            None => shown,
        }
    }
}

/// Reads a passphrase: the first line of a file.
pub fn passphrase_from_file(path: &Path) -> Result<Sensitive, KeyError> {
    let text = std::fs::read_to_string(path).map_err(KeyError::file("read the passphrase in", path))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Sensitive::new(line)),
        _ => Err(KeyError::EmptyPassphrase {
            path: path.to_owned(),
        }),
    }
}

/// Why a certificate cannot be a mesh's root; `None` where it can.
fn reason_against(certificate: &Certificate) -> Option<String> {
    if !certificate.self_signed {
        // Envoy's TLS library wants chains to end in a self-signed certificate.
        return Some(format!(
            "it was issued by {:?}; proxies trust only self-signed roots",
            certificate.issuer
        ));
    }
    if !certificate.may_sign_certificates() {
        return Some("it is no authority (CA, keyCertSign)".to_owned());
    }
    if certificate.path_length == Some(0) {
        return Some("its pathLenConstraint 0 allows no intermediates".to_owned());
    }
    if certificate
        .signature_algorithm
        .to_ascii_lowercase()
        .contains("sha1")
    {
        return Some("it is signed with SHA-1, which istiod refuses".to_owned());
    }
    None
}

#[cfg(test)]
mod tests;
