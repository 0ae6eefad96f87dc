//! Signatures: of certificates by certificates, and of handshakes by a server's key. A certificate
//! whose form webpki would not read (X.509 v1, a CA's own) signs a handshake as well as any.

use p521::ecdsa::signature::hazmat::PrehashVerifier;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::crypto::verify_tls13_signature_with_raw_key;
use rustls::pki_types::{AlgorithmIdentifier, CertificateDer, SubjectPublicKeyInfoDer, alg_id};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use sha2::{Digest, Sha256, Sha384, Sha512};

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
    verified || is_by_short_rsa(certificate, issuer) || is_by_p521(certificate, issuer)
}

fn is_by_p521(certificate: &Certificate, issuer: &Certificate) -> bool {
    let is = |id: AlgorithmIdentifier| certificate.signature_algorithm == id.as_ref();
    let signed = &certificate.signed;
    let digest = if is(alg_id::ECDSA_SHA256) {
        Sha256::digest(signed).to_vec()
    } else if is(alg_id::ECDSA_SHA384) {
        Sha384::digest(signed).to_vec()
    } else if is(alg_id::ECDSA_SHA512) {
        Sha512::digest(signed).to_vec()
    } else {
        return false;
    };
    is_p521(issuer) && is_signed_on_p521(&issuer.key, &digest, &certificate.signature)
}

fn is_p521(certificate: &Certificate) -> bool {
    certificate.key_algorithm == alg_id::ECDSA_P521.as_ref()
}

/// Whether a signature (DER) is of a digest, by a key on P-521 (a point as SEC 1 writes it).
fn is_signed_on_p521(key: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    // A digest shorter than a number of the curve has zeros before it (FIPS 186-5, section 6.4.2);
    // the library wants most of them written out.
    let mut number = [0; 66];
    let Some(start) = number.len().checked_sub(digest.len()) else {
        return false;
    };
    number[start..].copy_from_slice(digest);
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(key);
    let signature = p521::ecdsa::Signature::from_der(signature);
    matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(&number, &signature).is_ok())
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
    if signed.scheme == SignatureScheme::ECDSA_NISTP521_SHA512 && is_p521(&certificate) {
        return of_p521(&certificate, &Sha512::digest(message), signed);
    }
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
    // Before TLS 1.3 the scheme's curve says nothing, its digest does.
    if is_p521(&certificate) {
        let digest = match signed.scheme {
            SignatureScheme::ECDSA_NISTP256_SHA256 => Sha256::digest(message).to_vec(),
            SignatureScheme::ECDSA_NISTP384_SHA384 => Sha384::digest(message).to_vec(),
            SignatureScheme::ECDSA_NISTP521_SHA512 => Sha512::digest(message).to_vec(),
            _ => return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into()),
        };
        return of_p521(&certificate, &digest, signed);
    }
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

fn of_p521(
    certificate: &Certificate,
    digest: &[u8],
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    if is_signed_on_p521(&certificate.key, digest, signed.signature()) {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(CertificateError::BadSignature.into())
    }
}

/// The schemes that handshakes may be signed by, the best first.
pub(super) fn schemes(algorithms: &WebPkiSupportedAlgorithms) -> Vec<SignatureScheme> {
    let mut schemes = algorithms.supported_schemes();
    schemes.push(SignatureScheme::ECDSA_NISTP521_SHA512);
    schemes
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
