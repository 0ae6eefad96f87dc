//! Whether a certificate chains to a root, and how the roots of two clusters relate.

use std::collections::BTreeSet;

use jiff::Timestamp;
use thiserror::Error;
use x509_parser::error::X509Error;

use super::certificate::Certificate;

/// Longer paths are not followed: `cert-chain.pem` has two or three certificates.
const LONGEST_PATH: usize = 8;

/// Why a certificate does not chain to any of the roots. Where several paths fail, the reason of
/// the one that came nearest to a root.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChainError {
    /// There are no roots to chain to.
    #[error("there is no root to verify against")]
    NoRoots,
    /// Nobody in sight has the issuer's name.
    #[error("no certificate for the issuer {issuer:?} of {subject:?} is in the chain or among the roots")]
    NoIssuer {
        /// The certificate whose issuer is missing.
        subject: String,
        /// The issuer that it names.
        issuer: String,
    },
    /// The issuer's name is right, the signature is another key's.
    #[error("{subject:?} was not signed by the key of {issuer:?} ({issuer_sha256})")]
    Signature {
        /// The certificate whose signature is wrong.
        subject: String,
        /// The certificate that it names as its issuer.
        issuer: String,
        /// That certificate's fingerprint.
        issuer_sha256: String,
    },
    /// The signature is of a kind that cannot be checked here, or that Go refuses (SHA-1).
    #[error("the signature of {subject:?} is of a kind that is not accepted: {algorithm}")]
    Algorithm {
        /// The certificate whose signature it is.
        subject: String,
        /// The algorithm.
        algorithm: String,
    },
    /// It ended.
    #[error("{subject:?} expired at {not_after}")]
    Expired {
        /// The certificate.
        subject: String,
        /// When it ended.
        not_after: Timestamp,
    },
    /// It has not begun.
    #[error("{subject:?} is not valid before {not_before}")]
    NotYetValid {
        /// The certificate.
        subject: String,
        /// When it begins.
        not_before: Timestamp,
    },
    /// An issuer is no authority.
    #[error("{subject:?} is no authority (CA, keyCertSign)")]
    NotAnAuthority {
        /// The issuer.
        subject: String,
    },
    /// More authorities below one than it allows.
    #[error("{subject:?} allows {allowed} authorities below it, and the chain has {found}")]
    PathLength {
        /// The authority.
        subject: String,
        /// Its pathLenConstraint.
        allowed: u32,
        /// The authorities below it.
        found: u32,
    },
    /// The certificates issue each other in a ring, or the chain has no end.
    #[error("the chain of {subject:?} is too long")]
    TooLong {
        /// Where it was given up.
        subject: String,
    },
}

/// Verifies that a certificate chains to one of the roots at a time, through any of the
/// intermediates, and gives the path: the certificate first, the root last. Checked are names,
/// signatures, validity, CA, keyCertSign and path length, as Go does it, with one difference: an
/// authority at the path's start is counted by pathLenConstraint, since it is there to sign.
/// A root is what is in `roots`: whether it is self-signed does not matter.
pub fn verify_chain<'certificates>(
    certificate: &'certificates Certificate,
    intermediates: &'certificates [Certificate],
    roots: &'certificates [Certificate],
    at: Timestamp,
) -> Result<Vec<&'certificates Certificate>, ChainError> {
    if roots.is_empty() {
        return Err(ChainError::NoRoots);
    }
    valid_at(certificate, at)?;
    if let Some(root) = roots.iter().find(|root| root.sha256 == certificate.sha256) {
        return Ok(vec![root]);
    }
    let mut search = Search {
        intermediates,
        roots,
        at,
        nearest: None,
    };
    let mut path = vec![certificate];
    if search.reaches_a_root(&mut path) {
        return Ok(path);
    }
    Err(search
        .nearest
        .map_or_else(|| no_issuer(certificate), |(_, error)| error))
}

struct Search<'certificates> {
    intermediates: &'certificates [Certificate],
    roots: &'certificates [Certificate],
    at: Timestamp,
    /// The reason that came nearest to a root, and how near it came.
    nearest: Option<(usize, ChainError)>,
}

impl<'certificates> Search<'certificates> {
    /// Extends the path to a root, or leaves it as it was.
    fn reaches_a_root(&mut self, path: &mut Vec<&'certificates Certificate>) -> bool {
        let child = path[path.len() - 1];
        let depth = path.len();
        if depth == LONGEST_PATH {
            self.note(
                0,
                ChainError::TooLong {
                    subject: child.subject.clone(),
                },
            );
            return false;
        }
        let candidates = (self.roots.iter().map(|root| (root, true))).chain(
            self.intermediates
                .iter()
                .map(|intermediate| (intermediate, false)),
        );
        let mut issuers = 0;
        for (issuer, is_root) in candidates {
            let known = path.iter().any(|known| known.sha256 == issuer.sha256);
            if known || !names_as_issuer(child, issuer) {
                continue;
            }
            issuers += 1;
            if let Err(error) = issued(path, child, issuer, self.at) {
                // Of the same depth, what is wrong with a root says more.
                self.note(depth * 4 + 2 + usize::from(is_root), error);
                continue;
            }
            path.push(issuer);
            if is_root || self.reaches_a_root(path) {
                return true;
            }
            path.pop();
        }
        if issuers == 0 {
            self.note(depth * 4 + 1, no_issuer(child));
        }
        false
    }

    fn note(&mut self, nearness: usize, error: ChainError) {
        if self.nearest.as_ref().is_none_or(|(known, _)| *known < nearness) {
            self.nearest = Some((nearness, error));
        }
    }
}

fn no_issuer(certificate: &Certificate) -> ChainError {
    ChainError::NoIssuer {
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
    }
}

fn names_as_issuer(child: &Certificate, issuer: &Certificate) -> bool {
    match (child.parsed(), issuer.parsed()) {
        (Some(child), Some(issuer)) => child.issuer().as_raw() == issuer.subject().as_raw(),
        _ => false,
    }
}

fn issued(
    path: &[&Certificate],
    child: &Certificate,
    issuer: &Certificate,
    at: Timestamp,
) -> Result<(), ChainError> {
    let subject = || issuer.subject.clone();
    if !issuer.may_sign_certificates() {
        return Err(ChainError::NotAnAuthority { subject: subject() });
    }
    let (Some(parsed_child), Some(parsed_issuer)) = (child.parsed(), issuer.parsed()) else {
        return Err(no_issuer(child));
    };
    // Go accepts no SHA-1 signature, and so istiod does not.
    let refused = child.signature_algorithm.to_ascii_lowercase().contains("sha1");
    match parsed_child.verify_signature(Some(parsed_issuer.public_key())) {
        Ok(()) if !refused => {}
        Ok(()) | Err(X509Error::SignatureUnsupportedAlgorithm) => {
            return Err(ChainError::Algorithm {
                subject: child.subject.clone(),
                algorithm: child.signature_algorithm.clone(),
            });
        }
        Err(_) => {
            return Err(ChainError::Signature {
                subject: child.subject.clone(),
                issuer: subject(),
                issuer_sha256: issuer.sha256.clone(),
            });
        }
    }
    valid_at(issuer, at)?;
    let below = path.iter().filter(|below| below.is_authority).count();
    match issuer.path_length {
        Some(allowed) if below > allowed as usize => Err(ChainError::PathLength {
            subject: subject(),
            allowed,
            found: u32::try_from(below).unwrap_or(u32::MAX),
        }),
        _ => Ok(()),
    }
}

fn valid_at(certificate: &Certificate, at: Timestamp) -> Result<(), ChainError> {
    if at > certificate.not_after {
        return Err(ChainError::Expired {
            subject: certificate.subject.clone(),
            not_after: certificate.not_after,
        });
    }
    if at < certificate.not_before {
        return Err(ChainError::NotYetValid {
            subject: certificate.subject.clone(),
            not_before: certificate.not_before,
        });
    }
    Ok(())
}

/// How two sets of roots relate (by fingerprint).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootSets {
    /// The same roots: healthy.
    Equal,
    /// Some in common: a rotation is under way.
    Intersecting,
    /// None in common, or one of them is empty: workloads do not trust each other.
    Disjoint,
}

/// Compares the roots that two clusters trust; order and repetition do not count.
pub fn same_roots(one: &[Certificate], other: &[Certificate]) -> RootSets {
    let set = |roots: &[Certificate]| -> BTreeSet<String> {
        roots.iter().map(|root| root.sha256.clone()).collect()
    };
    let (one, other) = (set(one), set(other));
    if one.is_disjoint(&other) {
        RootSets::Disjoint
    } else if one == other {
        RootSets::Equal
    } else {
        RootSets::Intersecting
    }
}
