//! X.509 certificates as facts (RFC 5280), read from PEM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// One certificate: what it says, and the bytes that say it.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Lower-case hex SHA-256 of the DER.
    pub sha256: String,
    /// The subject, such as `O=Istio, CN=Root CA`, in the certificate's order.
    pub subject: String,
    /// The issuer, likewise.
    pub issuer: String,
    /// Lower-case hex of the serial number's bytes.
    pub serial: String,
    /// It holds from here on.
    pub not_before: Timestamp,
    /// It holds up to here.
    pub not_after: Timestamp,
    /// Whether it may sign certificates: basicConstraints says CA.
    pub is_authority: bool,
    /// How many authorities may stand below it; absent where it does not say.
    pub path_length: Option<u32>,
    /// What its key may be used for; absent where it does not say (then: for anything).
    pub key_usage: Option<KeyUsage>,
    /// The DNS names among its subject alternative names.
    pub dns_names: Vec<String>,
    /// The URIs among its subject alternative names.
    pub uris: Vec<String>,
    /// Whether subject and issuer are the same and its own key signed it.
    pub self_signed: bool,
    /// Such as `ECDSA P-256` or `RSA 4096`; the object identifier where the algorithm is not known here.
    pub public_key_algorithm: String,
    /// Such as `ecdsa-with-SHA256`; the object identifier where the algorithm is not known here.
    pub signature_algorithm: String,
    /// The certificate alone, as PEM with 64 columns and LF: Istio compares roots byte by byte.
    pub pem: String,
    der: Vec<u8>,
}

/// The bits of keyUsage (RFC 5280 §4.2.1.3) that matter to an authority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyUsage {
    /// Signing of data: TLS handshakes among them.
    pub digital_signature: bool,
    /// Encryption of keys.
    pub key_encipherment: bool,
    /// Signing of certificates.
    pub key_cert_sign: bool,
    /// Signing of revocation lists; without it istiod refuses a bundle that has one.
    pub crl_sign: bool,
}

/// Why a text is no bundle of certificates.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// No PEM block at all.
    #[error("no PEM block in it")]
    Empty,
    /// A block's armour or base64 is broken.
    #[error("PEM block {position} is damaged")]
    Damaged {
        /// From 1.
        position: usize,
    },
    /// A block holds something else: a key, a request.
    #[error("PEM block {position} is no certificate but {label:?}")]
    NotACertificate {
        /// From 1.
        position: usize,
        /// What it says it is.
        label: String,
    },
    /// A block's DER is no X.509 certificate.
    #[error("the certificate in PEM block {position} cannot be read")]
    Unreadable {
        /// From 1.
        position: usize,
    },
}

/// Reads every certificate of a PEM bundle, in its order. Text around the blocks is skipped, as
/// every reader of PEM does; a block that is no certificate is an error, with its position.
pub fn parse_bundle(pem: &str) -> Result<Vec<Certificate>, CertificateError> {
    let mut certificates = Vec::new();
    for (index, block) in Pem::iter_from_buffer(pem.as_bytes()).enumerate() {
        let position = index + 1;
        let block = block.map_err(|_| CertificateError::Damaged { position })?;
        if block.label != "CERTIFICATE" {
            return Err(CertificateError::NotACertificate {
                position,
                label: block.label,
            });
        }
        certificates
            .push(Certificate::from_der(&block.contents).ok_or(CertificateError::Unreadable { position })?);
    }
    if certificates.is_empty() {
        return Err(CertificateError::Empty);
    }
    Ok(certificates)
}

impl Certificate {
    /// Reads one certificate from its DER, which must be all of it.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, parsed) = X509Certificate::from_der(der).ok()?;
        // The algorithm stands inside and outside of what is signed, and must be the same (RFC 5280 §4.1.1.2).
        if !rest.is_empty() || parsed.signature_algorithm != parsed.tbs_certificate.signature {
            return None;
        }
        let constraints = parsed.basic_constraints().ok()?.map(|extension| extension.value);
        let key_usage = parsed.key_usage().ok()?.map(|extension| KeyUsage {
            digital_signature: extension.value.digital_signature(),
            key_encipherment: extension.value.key_encipherment(),
            key_cert_sign: extension.value.key_cert_sign(),
            crl_sign: extension.value.crl_sign(),
        });
        let (mut dns_names, mut uris) = (Vec::new(), Vec::new());
        if let Some(names) = parsed.subject_alternative_name().ok()? {
            for name in &names.value.general_names {
                match name {
                    GeneralName::DNSName(name) => dns_names.push((*name).to_owned()),
                    GeneralName::URI(uri) => uris.push((*uri).to_owned()),
                    _ => {}
                }
            }
        }
        Some(Self {
            sha256: fingerprint(der),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            serial: hex(parsed.raw_serial()),
            not_before: timestamp(parsed.validity().not_before.timestamp()),
            not_after: timestamp(parsed.validity().not_after.timestamp()),
            is_authority: constraints.is_some_and(|constraints| constraints.ca),
            path_length: constraints.and_then(|constraints| constraints.path_len_constraint),
            key_usage,
            dns_names,
            uris,
            self_signed: parsed.subject().as_raw() == parsed.issuer().as_raw()
                && parsed.verify_signature(None).is_ok(),
            public_key_algorithm: public_key_algorithm(parsed.public_key()),
            signature_algorithm: signature_algorithm(&parsed.signature_algorithm.algorithm.to_id_string()),
            pem: to_pem(der),
            der: der.to_vec(),
        })
    }

    /// The certificate's bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DER of the public key with its algorithm (`SubjectPublicKeyInfo`), by which a key is
    /// known to belong to the certificate.
    pub fn public_key_info(&self) -> Vec<u8> {
        self.parsed()
            .map(|parsed| parsed.public_key().raw.to_vec())
            .unwrap_or_default()
    }

    /// The subject's DER, by which issuers are matched.
    pub fn subject_der(&self) -> Vec<u8> {
        self.parsed()
            .map(|parsed| parsed.subject().as_raw().to_vec())
            .unwrap_or_default()
    }

    /// The subject key identifier, where there is one.
    pub fn subject_key_identifier(&self) -> Option<Vec<u8>> {
        self.parsed()?.iter_extensions().find_map(|extension| {
            if let ParsedExtension::SubjectKeyIdentifier(identifier) = extension.parsed_extension() {
                Some(identifier.0.to_vec())
            } else {
                None
            }
        })
    }

    /// Whether it holds at a time.
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Whether it will have ended a span after a time, or has ended before.
    pub fn expires_within(&self, span: SignedDuration, at: Timestamp) -> bool {
        self.not_after.duration_since(at) < span
    }

    /// How long it holds in all.
    pub fn lifetime(&self) -> SignedDuration {
        self.not_after.duration_since(self.not_before)
    }

    /// Whether its key may sign certificates.
    pub fn may_sign_certificates(&self) -> bool {
        self.is_authority && self.key_usage.is_none_or(|usage| usage.key_cert_sign)
    }

    /// Whether its key may sign revocation lists. Go, and so istiod, wants the bit to be there.
    pub fn may_sign_revocation_lists(&self) -> bool {
        self.key_usage.is_some_and(|usage| usage.crl_sign)
    }

    pub(super) fn parsed(&self) -> Option<X509Certificate<'_>> {
        X509Certificate::from_der(&self.der)
            .ok()
            .map(|(_, parsed)| parsed)
    }
}

/// Shows which certificate it is; the bytes would hide it.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Certificate({:?} {})", self.subject, self.sha256)
    }
}

/// Lower-case hex SHA-256.
pub fn fingerprint(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time beyond what can be counted (`99991231235959Z` says "never", RFC 5280 §4.1.2.5) is the last one.
fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

fn to_pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

fn public_key_algorithm(key: &SubjectPublicKeyInfo<'_>) -> String {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {}", rsa.key_size()),
        Ok(PublicKey::EC(_)) => {
            let curve = key
                .algorithm
                .parameters
                .as_ref()
                .and_then(|parameters| parameters.as_oid().ok())
                .map(|curve| curve.to_id_string())
                .unwrap_or_default();
            // RFC 5480 §2.1.1.1.
            match curve.as_str() {
                "1.2.840.10045.3.1.7" => "ECDSA P-256".to_owned(),
                "1.3.132.0.34" => "ECDSA P-384".to_owned(),
                "1.3.132.0.35" => "ECDSA P-521".to_owned(),
                _ => format!("ECDSA {curve}"),
            }
        }
        Ok(_) | Err(_) => match key.algorithm.algorithm.to_id_string().as_str() {
            // RFC 8410 §3.
            "1.3.101.112" => "Ed25519".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// Names as in RFC 8017, RFC 5758 and RFC 8410.
fn signature_algorithm(identifier: &str) -> String {
    match identifier {
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "Ed25519",
        other => other,
    }
    .to_owned()
}
