//! Signing: a new root, and the intermediates under it.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, SigningKey as _,
};
use x509_parser::asn1_rs::Any;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

use super::{KeyError, private_key, reason_against};
use crate::fleet::FleetName;
use crate::host::sensitive::Sensitive;
use crate::plan::IntermediateProfile;
use crate::trust::{Certificate, verify_chain};

/// Days that a root is good for: five years. Replacing a root is a campaign over every cluster and
/// proxy, so not a yearly one; and a key on somebody's disk should not be good for Istio's ten.
pub const ROOT_DAYS: u32 = 5 * 365;

/// How far back a certificate begins, since clocks differ.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(60);

/// The fleet's root, unlocked: it can sign. Nothing of its key can be got out of it.
pub struct RootKey {
    certificate: Certificate,
    pair: KeyPair,
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "RootKey({}, <redacted>)", self.certificate.sha256)
    }
}

/// What istiod wants in the Secret `cacerts`, under these names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaCertificates {
    /// `ca-cert.pem`: the intermediate.
    pub certificate: String,
    /// `ca-key.pem`: its key, PKCS#8.
    pub key: Sensitive,
    /// `cert-chain.pem`: the intermediate and the root.
    pub chain: String,
    /// `root-cert.pem`: the root.
    pub root: String,
    /// Lower-case hex SHA-256 of the intermediate, for the journal.
    pub sha256: String,
    /// When the intermediate ends.
    pub not_after: Timestamp,
}

impl RootKey {
    /// Makes a root for a fleet: ECDSA P-256, which istiod, Envoy, ztunnel and every machine's
    /// openssl accept (Envoy takes no other curve everywhere).
    pub(super) fn make(fleet: &FleetName, now: Timestamp) -> Result<Self, KeyError> {
        const FAILED: KeyError = KeyError::Signing("make a root certificate");
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| FAILED)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = name("Root CA", fleet, None);
        parameters.serial_number = Some(serial_number());
        set_validity(&mut parameters, now - CLOCK_SKEW, now + days(ROOT_DAYS))?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Istio's own tools leave cRLSign out, and then no revocation list can ever be used.
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let signed = parameters.self_signed(&pair).map_err(|_| FAILED)?;
        let certificate = Certificate::from_der(signed.der()).ok_or(FAILED)?;
        match reason_against(&certificate) {
            None => Ok(Self { certificate, pair }),
            Some(_) => Err(FAILED),
        }
    }

    pub(super) fn new(certificate: Certificate, pair: KeyPair) -> Self {
        Self { certificate, pair }
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.pair
    }

    /// The root's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Makes a key and signs an intermediate for it as the profile says, and checks that it
    /// verifies. It never outlives the root.
    pub fn sign_intermediate(
        &self,
        profile: &IntermediateProfile,
        now: Timestamp,
    ) -> Result<CaCertificates, KeyError> {
        const FAILED: KeyError = KeyError::Signing("make an intermediate certificate");
        let root = &self.certificate;
        if !profile.root_sha256.is_empty() && profile.root_sha256 != root.sha256 {
            return Err(KeyError::AnotherRoot {
                wanted: profile.root_sha256.clone(),
                found: root.sha256.clone(),
            });
        }
        if !root.is_valid_at(now) {
            return Err(KeyError::RootNotValid {
                sha256: root.sha256.clone(),
                not_before: root.not_before,
                not_after: root.not_after,
                at: now,
            });
        }
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| FAILED)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name =
            name("Intermediate CA", &profile.fleet, Some(profile.cluster.as_str()));
        parameters.serial_number = Some(serial_number());
        let from = (now - CLOCK_SKEW).max(root.not_before);
        let to = (now + days(profile.days)).min(root.not_after);
        set_validity(&mut parameters, from, to)?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
        ];
        parameters.subject_alt_names = vec![SanType::DnsName(
            format!("istiod.{}.svc", profile.namespace)
                .try_into()
                .map_err(|_| FAILED)?,
        )];
        parameters.use_authority_key_identifier_extension = true;
        let mut issuer = CertificateParams::default();
        if let Some(identifier) = root.subject_key_identifier() {
            issuer.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
        }
        let signed = parameters
            .signed_by(&pair, &Issuer::new(issuer, &self.pair))
            .map_err(|_| FAILED)?;
        let der = with_issuer(signed.der(), &root.subject_der(), &self.pair).ok_or(FAILED)?;
        let certificate = Certificate::from_der(&der).ok_or(FAILED)?;
        verify_chain(&certificate, &[], std::slice::from_ref(root), now).map_err(|source| {
            KeyError::DoesNotVerify {
                sha256: root.sha256.clone(),
                source,
            }
        })?;
        Ok(CaCertificates {
            key: private_key::to_pem(&pair, None)?,
            chain: format!("{}{}", certificate.pem, root.pem),
            root: root.pem.clone(),
            sha256: certificate.sha256,
            not_after: certificate.not_after,
            certificate: certificate.pem,
        })
    }
}

/// Istio's names, with the fleet, and for an intermediate the cluster: istiod tells the
/// authorities of a revocation list apart by their subjects.
fn name(common_name: &str, fleet: &FleetName, cluster: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Istio");
    name.push(DnType::OrganizationalUnitName, fleet.as_str());
    name.push(DnType::CommonName, common_name);
    if let Some(cluster) = cluster {
        name.push(DnType::LocalityName, cluster);
    }
    name
}

/// The certificate with this issuer (DER of a name), signed again. The library keeps one value a
/// kind in a name and writes its strings its own way, and many a company's root has several `DC=`
/// or `OU=`; issuers are matched byte by byte.
fn with_issuer(der: &[u8], issuer: &[u8], key: &KeyPair) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let whole: &[u8] = parsed.tbs_certificate.as_ref();
    let replaced = parsed.issuer().as_raw();
    // The name stands after version, serial number and algorithm, which cannot contain it.
    let at = whole
        .windows(replaced.len())
        .position(|bytes| bytes == replaced)?;
    let content = whole.len() - sequence_content(whole)?.len();
    let signed = sequence(&[&whole[content..at], issuer, &whole[at + replaced.len()..]]);
    let signature = key.sign(&signed).ok()?;
    // Between the signed part and the signature (a bit string without unused bits) stands the algorithm.
    let outer = sequence_content(der)?;
    let rest = &outer[whole.len()..];
    let algorithm = &rest[..rest.len() - sequence_rest(rest)?.len()];
    let mut bits = vec![0];
    bits.extend_from_slice(&signature);
    Some(sequence(&[&signed, algorithm, &element(0x03, &bits)]))
}

/// What is in the DER sequence that a text begins with.
fn sequence_content(der: &[u8]) -> Option<&[u8]> {
    let (_, sequence) = Any::from_der(der).ok()?;
    Some(sequence.data)
}

/// What comes after the DER sequence that a text begins with.
fn sequence_rest(der: &[u8]) -> Option<&[u8]> {
    Any::from_der(der).ok().map(|(rest, _)| rest)
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// One DER element: tag, length (X.690 §8.1.3), content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|&&byte| byte == 0).count()..];
    let mut element = vec![tag];
    match significant {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).expect("a length has at most eight bytes"));
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(content);
    element
}

/// 126 random bits with the highest two fixed: positive, and never shorter.
fn serial_number() -> SerialNumber {
    let mut bytes: [u8; 16] = rand::random();
    bytes[0] = (bytes[0] & 0x3f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

/// Fails for times that X.509 cannot say.
fn set_validity(parameters: &mut CertificateParams, from: Timestamp, to: Timestamp) -> Result<(), KeyError> {
    const FAILED: KeyError = KeyError::Signing("write a time into a certificate");
    let date = |at: Timestamp| ASN1Time::from_timestamp(at.as_second()).map_err(|_| FAILED);
    parameters.not_before = date(from)?.to_datetime();
    parameters.not_after = date(to)?.to_datetime();
    Ok(())
}
