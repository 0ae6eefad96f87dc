//! From a server's certificate to an authority that is trusted (Go's `Certificate.Verify`).

use std::collections::HashMap;

use jiff::Timestamp;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::certificate::{Certificate, Purposes};
use super::names::shown;
use super::{Refusal, constraints, signature};

/// Signatures that are checked for one server at the most, as in Go: a heap of certificates that
/// could all have signed each other must not take for ever.
const MOST_SIGNATURES: usize = 100;

/// Authorities that are trusted.
#[derive(Debug)]
pub(super) struct Roots {
    certificates: Vec<Certificate>,
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
}

impl Roots {
    /// Those of some certificates (DER) that can be read.
    pub(super) fn new<'der>(certificates: impl Iterator<Item = &'der [u8]>) -> Self {
        let certificates: Vec<Certificate> = certificates.filter_map(Certificate::read).collect();
        let mut by_subject: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (index, certificate) in certificates.iter().enumerate() {
            by_subject
                .entry(certificate.subject.clone())
                .or_default()
                .push(index);
        }
        Self {
            certificates,
            by_subject,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    fn of_subject(&self, subject: &[u8]) -> impl Iterator<Item = &Certificate> {
        let indices = self
            .by_subject
            .get(subject)
            .map(Vec::as_slice)
            .unwrap_or_default();
        indices.iter().filter_map(|index| self.certificates.get(*index))
    }

    fn hold(&self, certificate: &Certificate) -> bool {
        self.of_subject(&certificate.subject)
            .any(|root| root.der == certificate.der)
    }
}

/// Refuses a server's certificate that is not valid at this time (seconds since 1970), or that says
/// more than Go understands.
pub(super) fn check_time(certificate: &Certificate, now: i64) -> Result<(), Refusal> {
    if certificate.is_beyond_us {
        return Err(Refusal(
            "has a critical extension that nobody here understands".to_owned(),
        ));
    }
    if now < certificate.not_before {
        return Err(Refusal(format!(
            "is valid from {} on, and this machine's clock says {}",
            date(certificate.not_before),
            date(now)
        )));
    }
    if now > certificate.not_after {
        return Err(Refusal(format!(
            "expired on {} (this machine's clock says {})",
            date(certificate.not_after),
            date(now)
        )));
    }
    Ok(())
}

/// A moment as people say it.
fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "a time out of all reason".to_owned(),
        |moment| moment.to_string(),
    )
}

/// Refuses a server's certificate that leads to no trusted authority.
pub(super) fn check(
    own: &Certificate,
    others: &[Certificate],
    roots: &Roots,
    now: i64,
    whose: &str,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), Refusal> {
    let mut search = Search {
        others,
        roots,
        now,
        algorithms,
        signatures: 0,
        hint: None,
    };
    let is_trusted = if roots.hold(own) {
        search.is_acceptable(&[own])
    } else {
        search.extend(&mut vec![own])
    };
    if is_trusted {
        return Ok(());
    }
    Err(search.hint.unwrap_or_else(|| {
        Refusal(if signature::is_unsafe(own) {
            "is signed by way of SHA-1 or MD5, which prove nothing any more".to_owned()
        } else if own.is_self_issued() {
            format!(
                "is signed by itself ({}), which is an authority that {whose}",
                shown(&own.issuer_shown)
            )
        } else {
            format!(
                "is signed by {:?}, an authority that {whose}",
                shown(&own.issuer_shown)
            )
        })
    }))
}

/// One search for a way to a root.
struct Search<'certificates> {
    others: &'certificates [Certificate],
    roots: &'certificates Roots,
    now: i64,
    algorithms: &'certificates WebPkiSupportedAlgorithms,
    signatures: usize,
    /// Why the first way that nearly led somewhere did not.
    hint: Option<Refusal>,
}

impl<'certificates> Search<'certificates> {
    /// Whether a chain can be led on to a root, and is acceptable then.
    fn extend(&mut self, chain: &mut Vec<&'certificates Certificate>) -> bool {
        let Some(last) = chain.last().copied() else {
            return false;
        };
        let (roots, others) = (self.roots, self.others);
        let trusted = roots.of_subject(&last.issuer).map(|root| (root, true));
        let presented = others
            .iter()
            .filter(|other| other.subject == last.issuer)
            .map(|other| (other, false));
        for (issuer, is_root) in trusted.chain(presented) {
            self.signatures += 1;
            if self.signatures > MOST_SIGNATURES {
                return false;
            }
            if is_in(issuer, chain) {
                continue;
            }
            if let Err(why) = self.may_have_signed(issuer, last, chain.len() - 1, is_root) {
                self.hint.get_or_insert(why);
                continue;
            }
            chain.push(issuer);
            let leads = if is_root {
                self.is_acceptable(chain)
            } else {
                self.extend(chain)
            };
            chain.pop();
            if leads {
                return true;
            }
        }
        false
    }

    /// Go's `CheckSignatureFrom` and `isValid`.
    fn may_have_signed(
        &self,
        issuer: &Certificate,
        signed: &Certificate,
        between: usize,
        is_root: bool,
    ) -> Result<(), Refusal> {
        let name = shown(&signed.issuer_shown);
        let refuse = |words: &str| {
            Err(Refusal(format!(
                "is signed by {name:?}, whose own certificate {words}"
            )))
        };
        let is_authority = issuer.basic.map(|basic| basic.is_authority);
        // Before version 3, nothing in a certificate could say what it is for.
        if is_authority == Some(false) || is_authority.is_none() && (issuer.has_extensions || !is_root) {
            return refuse("is none of an authority");
        }
        if issuer.may_not_sign {
            return refuse("does not let it sign others");
        }
        if !signature::is_by(signed, issuer, self.algorithms) {
            return if signature::is_unsafe(signed) {
                Err(Refusal(
                    "is signed by way of SHA-1 or MD5, which prove nothing any more".to_owned(),
                ))
            } else {
                Err(Refusal(format!(
                    "is signed by {name:?}, by another key than that of the authority of the same name here"
                )))
            };
        }
        if issuer.is_beyond_us {
            return refuse("has a critical extension that nobody here understands");
        }
        if self.now < issuer.not_before {
            return refuse(&format!("is valid from {} on", date(issuer.not_before)));
        }
        if self.now > issuer.not_after {
            return refuse(&format!("expired on {}", date(issuer.not_after)));
        }
        let longest = issuer.basic.and_then(|basic| basic.longest_path);
        if longest.is_some_and(|longest| usize::try_from(longest).is_ok_and(|longest| between > longest)) {
            return refuse("does not let so many stand between it and a server");
        }
        Ok(())
    }

    /// What is asked of a chain as a whole, the server's certificate first.
    fn is_acceptable(&mut self, chain: &[&Certificate]) -> bool {
        let why = if chain
            .iter()
            .any(|certificate| certificate.purposes == Purposes::Others)
        {
            "is not for servers, or is signed by an authority that is not for them (extended key usage)"
        } else if !constraints::are_kept(chain) {
            "bears a name that its authority may not give (name constraints)"
        } else if chain.len() > 1
            && chain
                .iter()
                .rev()
                .skip(1)
                .any(|certificate| certificate.demands_policies)
        {
            "stands under policies (RFC 5280), which are not understood here"
        } else {
            return true;
        };
        self.hint.get_or_insert_with(|| Refusal(why.to_owned()));
        false
    }
}

/// Whether a certificate, or another of the same subject, key and names, is in a chain already.
fn is_in(certificate: &Certificate, chain: &[&Certificate]) -> bool {
    chain.iter().any(|other| {
        other.subject == certificate.subject
            && other.key_info == certificate.key_info
            && other.names.are_given == certificate.names.are_given
            && other.names.hosts == certificate.names.hosts
            && other.names.addresses == certificate.names.addresses
    })
}
