//! A client certificate and its key, made ready for the TLS handshake as Go's `tls.X509KeyPair` makes
//! them: rustls's own way parses the certificate by the rules for servers, and refuses the X.509 v1
//! certificates that openssl makes by default and API servers take.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};

use super::endpoint::ClientCertificate;
use super::trouble::Trouble;

/// The chain and the key as TLS uses them.
pub(super) fn certified(certificate: &ClientCertificate) -> Result<CertifiedKey, Trouble> {
    let chain = chain(&certificate.chain)?;
    let key = signing_key(certificate.key.expose())?;
    let unreadable = || Trouble::configuration("the client certificate cannot be read");
    let (_, own) =
        X509Certificate::from_der(chain.first().ok_or_else(unreadable)?).map_err(|_| unreadable())?;
    let certified = &own.public_key().subject_public_key.data;
    let public = key.public_key().ok_or_else(|| {
        Trouble::configuration("the client key is of a kind whose public part cannot be told")
    })?;
    let belongs = SubjectPublicKeyInfo::from_der(&public)
        .is_ok_and(|(_, public)| public.subject_public_key.data == *certified);
    if !belongs {
        return Err(Trouble::configuration(
            "the client key does not belong to the client certificate",
        ));
    }
    Ok(CertifiedKey::new(chain, key))
}

/// The certificates of a PEM text; what else stands there is passed over, as in Go.
fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
        .filter_map(Result::ok)
        .collect();
    if chain.is_empty() {
        return Err(Trouble::configuration(
            "the client certificate holds no certificate in PEM",
        ));
    }
    Ok(chain)
}

/// The first private key of a PEM text. As in Go, what its label says of its form is not relied on.
fn signing_key(pem: &str) -> Result<Arc<dyn SigningKey>, Trouble> {
    if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(Trouble::configuration(
            "the client key is encrypted, and kubeconfigs have no place for a passphrase: \
             decrypt it (`openssl pkey`), or use a credential plugin",
        ));
    }
    let is_key = |kind: &SectionKind| {
        matches!(
            kind,
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey
        )
    };
    let der = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes())
        .filter_map(Result::ok)
        .find(|(kind, _)| is_key(kind))
        .map(|(_, der)| der)
        .ok_or_else(|| Trouble::configuration("the client key holds no private key in PEM"))?;
    let forms = [
        PrivateKeyDer::Pkcs1(der.clone().into()),
        PrivateKeyDer::Pkcs8(der.clone().into()),
        PrivateKeyDer::Sec1(der.into()),
    ];
    forms
        .iter()
        .find_map(|form| any_supported_type(form).ok())
        .ok_or_else(|| {
            Trouble::configuration(
                "the client key is of no kind that can be used: RSA of 2048 bits or more, \
                 ECDSA on P-256 or P-384, Ed25519",
            )
        })
}

/// Shows a certificate whenever a server asks for one, whatever authorities it says it knows: so does
/// client-go (`transport.TLSConfigFor`), and servers leave the list empty or outdated.
#[derive(Debug)]
pub(super) struct Always(pub(super) Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
