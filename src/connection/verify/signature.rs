//! Signatures: of certificates by certificates, and of handshakes by a server's key. A certificate
//! whose form webpki would not read (X.509 v1, a CA's own) signs a handshake as well as any.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::crypto::verify_tls13_signature_with_raw_key;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, alg_id};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved};

use super::Refusal;
use super::certificate::Certificate;

/// Whether a certificate was signed by another's key. RSA keys from 1024 bits on may sign, as in Go;
/// SHA-1 and MD5 are safe nowhere.
pub(super) fn is_by(
    certificate: &Certificate,
    issuer: &Certificate,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let verified = algorithms
        .all
        .iter()
        .filter(|algorithm| {
            algorithm.signature_alg_id().as_ref() == certificate.signature_algorithm
                && algorithm.public_key_alg_id().as_ref() == issuer.key_algorithm
        })
        .any(|algorithm| {
            algorithm
                .verify_signature(&issuer.key, &certificate.signed, &certificate.signature)
                .is_ok()
        });
    verified || is_by_short_rsa(certificate, issuer)
}

fn is_by_short_rsa(certificate: &Certificate, issuer: &Certificate) -> bool {
    let algorithm = match certificate.signature_algorithm.as_slice() {
        id if id == alg_id::RSA_PKCS1_SHA256.as_ref() => {
            &ring::signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        }
        id if id == alg_id::RSA_PKCS1_SHA512.as_ref() => {
            &ring::signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
        }
        _ => return false,
    };
    issuer.key_algorithm == alg_id::RSA_ENCRYPTION.as_ref()
        && ring::signature::UnparsedPublicKey::new(algorithm, &issuer.key)
            .verify(&certificate.signed, &certificate.signature)
            .is_ok()
}

/// Whether a certificate's own signature is of a kind that nobody should rely on.
pub(super) fn is_unsafe(certificate: &Certificate) -> bool {
    /// `sha1WithRSAEncryption`, `md5WithRSAEncryption` (RFC 3279, section 2.2.1), `ecdsa-with-SHA1`
    /// (section 2.2.3): their OIDs, DER.
    const UNSAFE: [&[u8]; 3] = [
        &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
        &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4],
        &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
    ];
    UNSAFE
        .iter()
        .any(|prefix| certificate.signature_algorithm.starts_with(prefix))
}

/// Checks a TLS 1.3 handshake's signature by a certificate's key.
pub(super) fn check_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let certificate = read(certificate)?;
    let key = SubjectPublicKeyInfoDer::from(certificate.key_info.as_slice());
    verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
        .map_err(|error| because_of_key(&certificate).unwrap_or(error))
}

/// Checks a TLS 1.2 handshake's signature by a certificate's key.
pub(super) fn check_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let certificate = read(certificate)?;
    let possible = algorithms
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signed.scheme)
        .map(|(_, possible)| *possible)
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let is_valid = possible
        .iter()
        .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == certificate.key_algorithm)
        .any(|algorithm| {
            algorithm
                .verify_signature(&certificate.key, message, signed.signature())
                .is_ok()
        });
    if is_valid {
        return Ok(HandshakeSignatureValid::assertion());
    }
    Err(because_of_key(&certificate).unwrap_or(CertificateError::BadSignature.into()))
}

fn read(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::read(certificate).ok_or(CertificateError::BadEncoding.into())
}

/// The reason why no handshake by a key can be checked, where that is why.
fn because_of_key(certificate: &Certificate) -> Option<Error> {
    // The modulus is all but some 15 bytes of an RSA key.
    let is_rsa = certificate.key_algorithm == alg_id::RSA_ENCRYPTION.as_ref();
    (is_rsa && certificate.key.len() < 256).then(|| {
        let words = "has an RSA key of less than 2048 bits, which is too short to be safe";
        Refusal(words.to_owned()).into()
    })
}
