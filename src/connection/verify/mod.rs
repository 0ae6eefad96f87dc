//! Which server certificates are accepted: those that kubectl accepts, and only those. kubectl is Go,
//! whose rules (`crypto/x509`) are not webpki's: Go takes a certificate that stands in the authority
//! itself, be it a CA's own or not a CA at all, and wildcards of two labels; it refuses roots that
//! have expired or may not sign. So the rules of Go are followed here, on certificates that
//! x509-parser takes apart ([`certificate`]), by signatures that ring checks ([`signature`]): names
//! ([`names`]), chains ([`chain`]), and what those below an authority may be called ([`constraints`]).
//!
//! Stricter than Go, knowingly: no ECDSA on P-224, and by P-256 and P-384 not with SHA-512; a server's
//! own RSA key has 2048 bits at the least, and one of an authority that is shorter does not sign with
//! SHA-384 or PSS (ring has none of these); no certificates whose issuers demand explicit policies (RFC 5280,
//! section 4.2.1.11); where an authority restricts mail addresses or URIs, no certificate with such
//! names.

mod certificate;
mod chain;
mod constraints;
mod names;
mod signature;

#[cfg(test)]
mod go_tests;

use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use self::certificate::Certificate;
use self::chain::Roots;
use super::endpoint::Authority;
use super::trouble::Trouble;

/// Read once, and only where a kubeconfig names no authority.
static MACHINE: LazyLock<Arc<Roots>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    Arc::new(Roots::new(found.certs.iter().map(AsRef::as_ref)))
});

/// Why a certificate is not accepted, as the end of "the certificate of …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(pub(super) String);

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
    }
}

/// Whose word is taken for what a server is.
#[derive(Debug)]
enum Trust {
    /// Anybody's.
    Anything,
    /// The kubeconfig's authority's.
    Authority(Roots),
    /// The machine's roots', read when a server is first checked.
    Machine,
}

/// Checks what servers present.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// A verifier by an authority. Certificates in it that cannot be read are passed over, as by
    /// Go's `AppendCertsFromPEM`; one of them has to be good.
    pub(super) fn new(authority: &Authority) -> Result<Self, Trouble> {
        let trust = match authority {
            Authority::Unchecked => Trust::Anything,
            Authority::Machine => Trust::Machine,
            Authority::Certificates(certificates) => {
                let roots = Roots::new(certificates.iter().map(Vec::as_slice));
                if roots.is_empty() {
                    return Err(Trouble::configuration(
                        "the kubeconfig's authority holds no certificate that can be read",
                    ));
                }
                Trust::Authority(roots)
            }
        };
        Ok(Self {
            trust,
            algorithms: rustls::crypto::ring::default_provider().signature_verification_algorithms,
        })
    }

    fn check(
        &self,
        presented: &[&CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let mut read = Vec::with_capacity(presented.len());
        for der in presented {
            let certificate = Certificate::read(der)
                .ok_or_else(|| Refusal("cannot be read, or one that it comes with".to_owned()))?;
            read.push(certificate);
        }
        let machine;
        let (roots, whose) = match &self.trust {
            Trust::Anything => return Ok(()),
            Trust::Authority(roots) => (roots, "the kubeconfig does not have"),
            Trust::Machine => {
                machine = Arc::clone(&MACHINE);
                (
                    &*machine,
                    "this machine does not trust (and the kubeconfig names none)",
                )
            }
        };
        let (own, others) = read
            .split_first()
            .ok_or_else(|| Refusal("is missing".to_owned()))?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        chain::check_time(own, now)?;
        names::check(own, name)?;
        chain::check(own, others, roots, now, whose, &self.algorithms)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let presented: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
        self.check(&presented, server_name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::check_tls12(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::check_tls13(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        signature::schemes(&self.algorithms)
    }
}
