//! A certificate taken apart, as far as Go's `crypto/x509` looks at it (`parser.go`): what it cannot
//! read there is not read here either.

use std::net::IpAddr;

use x509_parser::asn1_rs::{Any, FromDer, Oid};
use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};
use x509_parser::oid_registry::{
    OID_PKIX_AUTHORITY_INFO_ACCESS, OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER, OID_X509_EXT_BASIC_CONSTRAINTS,
    OID_X509_EXT_CERTIFICATE_POLICIES, OID_X509_EXT_CRL_DISTRIBUTION_POINTS, OID_X509_EXT_EXTENDED_KEY_USAGE,
    OID_X509_EXT_INHIBIT_ANY_POLICY, OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_NAME_CONSTRAINTS as NAME_CONSTRAINTS, OID_X509_EXT_POLICY_CONSTRAINTS,
    OID_X509_EXT_POLICY_MAPPINGS, OID_X509_EXT_SUBJECT_ALT_NAME, OID_X509_EXT_SUBJECT_KEY_IDENTIFIER,
};
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::X509Version;

use super::constraints::Constraints;

/// What counts of a certificate.
#[derive(Debug)]
pub(super) struct Certificate {
    /// The whole, DER.
    pub(super) der: Vec<u8>,
    /// What the signature is over, DER.
    pub(super) signed: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// The contents of the signature's `AlgorithmIdentifier`, DER.
    pub(super) signature_algorithm: Vec<u8>,
    /// The `SubjectPublicKeyInfo`, DER.
    pub(super) key_info: Vec<u8>,
    /// The contents of the key's `AlgorithmIdentifier`, DER.
    pub(super) key_algorithm: Vec<u8>,
    pub(super) key: Vec<u8>,
    /// Names, DER; two are the same where their bytes are.
    pub(super) issuer: Vec<u8>,
    pub(super) subject: Vec<u8>,
    /// The issuer's name for people.
    pub(super) issuer_shown: String,
    /// Seconds since 1970.
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    /// Whether it is of version 3, the only one with extensions.
    pub(super) has_extensions: bool,
    pub(super) basic: Option<Basic>,
    /// Whether it says what its key may be used for, and signing certificates is not among that.
    pub(super) may_not_sign: bool,
    pub(super) purposes: Purposes,
    pub(super) names: Names,
    pub(super) constraints: Option<Constraints>,
    /// A critical extension that Go does not know.
    pub(super) is_beyond_us: bool,
    /// Whether it demands that chains below it name their policies.
    pub(super) demands_policies: bool,
}

/// Basic constraints (RFC 5280, section 4.2.1.9).
#[derive(Debug, Clone, Copy)]
pub(super) struct Basic {
    pub(super) is_authority: bool,
    pub(super) longest_path: Option<u32>,
}

/// The extended key usage (RFC 5280, section 4.2.1.12), as far as servers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purposes {
    /// It does not say, or says any.
    Any,
    /// Servers, perhaps among others.
    Servers,
    /// Others only.
    Others,
}

/// The subject's alternative names (RFC 5280, section 4.2.1.6).
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) hosts: Vec<String>,
    pub(super) addresses: Vec<IpAddr>,
    /// Whether there are names of mail addresses or URIs.
    pub(super) has_others: bool,
    /// Whether there is such an extension at all.
    pub(super) are_given: bool,
}

impl Certificate {
    /// Takes a certificate apart; nothing where Go could not.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (rest, parsed) = X509Certificate::from_der(der).ok()?;
        let tbs = &parsed.tbs_certificate;
        let is_negative = tbs.raw_serial().first().is_some_and(|byte| byte & 0x80 != 0);
        if !rest.is_empty()
            || is_negative
            || tbs.version.0 > X509Version::V3.0
            || parsed.signature_algorithm != tbs.signature
        {
            return None;
        }
        let signed = tbs.as_ref();
        let whole = contents(der)?;
        let signature_algorithm = contents(whole.get(signed.len()..)?)?;
        let key_info = tbs.subject_pki.raw;
        let key_algorithm = contents(contents(key_info)?)?;
        let mut certificate = Self {
            der: der.to_vec(),
            signed: signed.to_vec(),
            signature: parsed.signature_value.data.to_vec(),
            signature_algorithm: signature_algorithm.to_vec(),
            key_info: key_info.to_vec(),
            key_algorithm: key_algorithm.to_vec(),
            key: tbs.subject_pki.subject_public_key.data.to_vec(),
            issuer: tbs.issuer.as_raw().to_vec(),
            subject: tbs.subject.as_raw().to_vec(),
            issuer_shown: tbs.issuer.to_string(),
            not_before: tbs.validity.not_before.timestamp(),
            not_after: tbs.validity.not_after.timestamp(),
            has_extensions: tbs.version == X509Version::V3,
            basic: None,
            may_not_sign: false,
            purposes: Purposes::Any,
            names: Names::default(),
            constraints: None,
            is_beyond_us: false,
            demands_policies: false,
        };
        if certificate.has_extensions {
            let mut seen: Vec<&Oid> = Vec::new();
            for extension in tbs.extensions() {
                if seen.contains(&&extension.oid) {
                    return None;
                }
                seen.push(&extension.oid);
                certificate.take(extension)?;
            }
        }
        Some(certificate)
    }

    /// Takes note of an extension; nothing where it cannot be read.
    fn take(&mut self, extension: &X509Extension<'_>) -> Option<()> {
        // Known extensions that say nothing here are not passed over silently: those that Go knows
        // are named, all others count as unknown.
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(basic) => {
                self.basic = Some(Basic {
                    is_authority: basic.ca,
                    longest_path: basic.path_len_constraint,
                });
            }
            ParsedExtension::KeyUsage(usage) => {
                self.may_not_sign = usage.flags != 0 && !usage.key_cert_sign();
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let others = usage.client_auth
                    || usage.code_signing
                    || usage.email_protection
                    || usage.time_stamping
                    || usage.ocsp_signing
                    || !usage.other.is_empty();
                self.purposes = match (usage.any, usage.server_auth, others) {
                    (true, _, _) | (false, false, false) => Purposes::Any,
                    (false, true, _) => Purposes::Servers,
                    (false, false, true) => Purposes::Others,
                };
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                self.names = Names::read(&names.general_names)?;
                self.is_beyond_us |= extension.critical && self.names.are_none();
            }
            ParsedExtension::PolicyConstraints(policies) => {
                self.demands_policies |= policies.require_explicit_policy.is_some();
            }
            // Mapping policies only matters to those who demand some, which are refused.
            ParsedExtension::PolicyMappings(_) => self.demands_policies = true,
            ParsedExtension::AuthorityKeyIdentifier(_)
            | ParsedExtension::SubjectKeyIdentifier(_)
            | ParsedExtension::AuthorityInfoAccess(_) => {
                if extension.critical {
                    return None;
                }
            }
            ParsedExtension::CertificatePolicies(_)
            | ParsedExtension::InhibitAnyPolicy(_)
            | ParsedExtension::CRLDistributionPoints(_) => {}
            _ if extension.oid == NAME_CONSTRAINTS => {
                let constraints = Constraints::read(extension.value)?;
                self.is_beyond_us |= extension.critical && constraints.has_unknown;
                self.constraints = Some(constraints);
            }
            ParsedExtension::ParseError { .. } if KNOWN.contains(&extension.oid) => return None,
            _ => self.is_beyond_us |= extension.critical,
        }
        Some(())
    }

    /// Whether it was issued by its own subject.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
}

impl Names {
    fn read(names: &[GeneralName<'_>]) -> Option<Self> {
        let mut read = Self {
            are_given: true,
            ..Self::default()
        };
        for name in names {
            match name {
                GeneralName::DNSName(host) if host.is_ascii() => read.hosts.push((*host).to_owned()),
                GeneralName::RFC822Name(text) | GeneralName::URI(text) if text.is_ascii() => {
                    read.has_others = true;
                }
                GeneralName::IPAddress(bytes) => read.addresses.push(address(bytes)?),
                GeneralName::DNSName(_) | GeneralName::RFC822Name(_) | GeneralName::URI(_) => return None,
                // The kinds that are looked at: mail, host, URI.
                GeneralName::Invalid(tag, _) if [1, 2, 6].contains(&tag.0) => return None,
                _ => {}
            }
        }
        Some(read)
    }

    fn are_none(&self) -> bool {
        self.hosts.is_empty() && self.addresses.is_empty() && !self.has_others
    }
}

/// An address of 4 or 16 bytes.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        Some(IpAddr::from(four))
    } else {
        <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
    }
}

/// The contents of the first DER value.
pub(super) fn contents(der: &[u8]) -> Option<&[u8]> {
    let (_, any) = Any::from_der(der).ok()?;
    Some(any.data)
}

/// The extensions that Go reads, so that it takes no certificate in which one is broken.
const KNOWN: [Oid<'static>; 12] = [
    OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER,
    OID_X509_EXT_BASIC_CONSTRAINTS,
    OID_X509_EXT_CERTIFICATE_POLICIES,
    OID_X509_EXT_CRL_DISTRIBUTION_POINTS,
    OID_X509_EXT_EXTENDED_KEY_USAGE,
    OID_X509_EXT_INHIBIT_ANY_POLICY,
    OID_X509_EXT_KEY_USAGE,
    OID_X509_EXT_POLICY_CONSTRAINTS,
    OID_X509_EXT_POLICY_MAPPINGS,
    OID_X509_EXT_SUBJECT_ALT_NAME,
    OID_X509_EXT_SUBJECT_KEY_IDENTIFIER,
    OID_PKIX_AUTHORITY_INFO_ACCESS,
];
