//! Certificates and chains. What is signed here is signed by the same library as the tool's own;
//! `host/keys` has openssl look at those, and `tests/plans/certificates` were made by openssl.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType,
};
use x509_parser::time::ASN1Time;

use super::*;

const ALPHA: &str = include_str!("../../tests/plans/certificates/alpha-root.pem");
const BETA: &str = include_str!("../../tests/plans/certificates/beta-root.pem");
const ALPHA_EAST: &str = include_str!("../../tests/plans/certificates/alpha-east.pem");
const BETA_EAST: &str = include_str!("../../tests/plans/certificates/beta-east.pem");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn one(pem: &str) -> Certificate {
    parse_bundle(pem).unwrap().remove(0)
}

#[test]
fn a_certificate_made_by_openssl_is_read() {
    let certificate = one(ALPHA_EAST);
    // openssl x509 -in alpha-east.pem -outform DER | sha256sum; -serial; -dates; -text
    assert_eq!(certificate.sha256, ALPHA_EAST_SHA256);
    assert_eq!(certificate.subject, "O=Istio, CN=Intermediate CA, L=east");
    assert_eq!(certificate.issuer, "O=Istio, CN=Root CA alpha");
    assert_eq!(certificate.serial, "1005");
    assert_eq!(certificate.not_before, at("2026-05-01T00:00:00Z"));
    assert_eq!(certificate.not_after, at("2027-05-01T00:00:00Z"));
    assert!(certificate.is_authority && !certificate.self_signed);
    assert_eq!(certificate.path_length, Some(0));
    let usage = certificate.key_usage.unwrap();
    assert!(usage.digital_signature && usage.key_cert_sign && usage.crl_sign && !usage.key_encipherment);
    assert_eq!(certificate.dns_names, ["istiod.istio-system.svc"]);
    assert_eq!(certificate.public_key_algorithm, "ECDSA P-256");
    assert_eq!(certificate.signature_algorithm, "ecdsa-with-SHA256");
    // Byte for byte what openssl wrote: Istio compares roots as text.
    assert_eq!(certificate.pem, ALPHA_EAST);
    let root = one(ALPHA);
    assert!(root.self_signed && root.is_authority && root.path_length.is_none());
}

const ALPHA_EAST_SHA256: &str = "4f5280e5d403162cb9406981bdbb2382c924bd46c33c745d65a8cf8869515376";

#[test]
fn a_bundle_is_read_in_its_order_and_a_bad_block_has_a_place() {
    let bundle = format!("# the roots\n{ALPHA}\nnot PEM\n{BETA}\n\n");
    let read = parse_bundle(&bundle).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[1], one(BETA));
    assert_eq!(parse_bundle(&bundle.replace('\n', "\r\n")).unwrap(), read);
    assert_eq!(parse_bundle(""), Err(CertificateError::Empty));
    assert_eq!(parse_bundle("nonsense"), Err(CertificateError::Empty));
    let truncated = format!("{ALPHA}{}", &BETA[..BETA.len() - 40]);
    assert_eq!(
        parse_bundle(&truncated),
        Err(CertificateError::Damaged { position: 2 })
    );
    let key = format!("{ALPHA}{}", ALPHA.replace("CERTIFICATE", "PRIVATE KEY"));
    assert_eq!(
        parse_bundle(&key),
        Err(CertificateError::NotACertificate {
            position: 2,
            label: "PRIVATE KEY".to_owned()
        })
    );
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(
        parse_bundle(&format!("{ALPHA}{BETA}{no_certificate}")),
        Err(CertificateError::Unreadable { position: 3 })
    );
}

#[test]
fn every_damaged_byte_is_noticed_and_none_ends_in_a_panic() {
    let whole = one(ALPHA_EAST);
    let roots = [one(ALPHA)];
    let now = at("2026-06-01T00:00:00Z");
    // Between what is signed and the signature the algorithm is named again: of this frame the
    // reader takes some variants of the same meaning.
    let frame = 395..410;
    assert_eq!(whole.der()[frame.start..][..2], [0x30, 10]);
    for position in (0..whole.der().len()).filter(|position| !frame.contains(position)) {
        let mut damaged = whole.der().to_vec();
        damaged[position] ^= 0x01;
        if let Some(certificate) = Certificate::from_der(&damaged) {
            assert_ne!(certificate.sha256, whole.sha256);
            assert!(
                verify_chain(&certificate, &[], &roots, now).is_err(),
                "the bit at {position} is not covered"
            );
        }
    }
    for length in 0..whole.der().len() {
        assert!(Certificate::from_der(&whole.der()[..length]).is_none());
    }
}

#[test]
fn sets_of_roots_relate() {
    let (alpha, beta) = (one(ALPHA), one(BETA));
    let (a, b) = (vec![alpha.clone()], vec![beta.clone()]);
    let both = vec![alpha.clone(), beta.clone(), alpha.clone()];
    let reversed = vec![beta, alpha];
    assert_eq!(same_roots(&a, &a), RootSets::Equal);
    assert_eq!(same_roots(&both, &reversed), RootSets::Equal);
    assert_eq!(same_roots(&a, &both), RootSets::Intersecting);
    assert_eq!(same_roots(&a, &b), RootSets::Disjoint);
    assert_eq!(same_roots(&a, &[]), RootSets::Disjoint);
}

#[test]
fn ends_are_foreseen() {
    let certificate = one(ALPHA_EAST);
    let day = SignedDuration::from_hours(24);
    assert!(certificate.expires_within(day, at("2027-04-30T00:00:01Z")));
    assert!(!certificate.expires_within(day, at("2027-04-30T00:00:00Z")));
    assert!(certificate.expires_within(SignedDuration::ZERO, at("2027-05-01T00:00:01Z")));
    assert!(certificate.is_valid_at(at("2027-05-01T00:00:00Z")));
    assert_eq!(certificate.lifetime(), day * 365);
}

/// A certificate to be made in a chain, valid from 2025 to 2030.
struct Wanted {
    name: &'static str,
    authority: Option<BasicConstraints>,
    usages: Vec<KeyUsagePurpose>,
    years: (i64, i64),
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl Wanted {
    fn authority(name: &'static str) -> Self {
        Self {
            name,
            authority: Some(BasicConstraints::Unconstrained),
            usages: vec![KeyUsagePurpose::KeyCertSign],
            years: (2025, 2030),
            algorithm: &PKCS_ECDSA_P256_SHA256,
        }
    }

    fn leaf(name: &'static str) -> Self {
        Self {
            authority: None,
            usages: vec![KeyUsagePurpose::DigitalSignature],
            ..Self::authority(name)
        }
    }

    fn parameters(&self) -> CertificateParams {
        let year = |year: i64| {
            let seconds = (year - 1970) * 31_557_600;
            ASN1Time::from_timestamp(seconds).unwrap().to_datetime()
        };
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, self.name);
        parameters.not_before = year(self.years.0);
        parameters.not_after = year(self.years.1);
        parameters.is_ca = self.authority.map_or(IsCa::ExplicitNoCa, IsCa::Ca);
        parameters.key_usages.clone_from(&self.usages);
        parameters.subject_alt_names = vec![SanType::URI("spiffe://td/ns/a/sa/b".try_into().unwrap())];
        parameters
    }
}

/// The certificates of a chain, the root first, each signed by the one before.
fn chain(wanted: &[Wanted]) -> Vec<Certificate> {
    let mut made = Vec::new();
    let mut issuer: Option<Issuer<'static, KeyPair>> = None;
    for wanted in wanted {
        let key = KeyPair::generate_for(wanted.algorithm).unwrap();
        let parameters = wanted.parameters();
        let signed = match &issuer {
            None => parameters.self_signed(&key),
            Some(issuer) => parameters.signed_by(&key, issuer),
        };
        made.push(Certificate::from_der(signed.unwrap().der()).unwrap());
        issuer = Some(Issuer::new(parameters, key));
    }
    made
}

fn verify(chain: &[Certificate]) -> Result<usize, ChainError> {
    let (root, rest) = chain.split_first().unwrap();
    let (leaf, intermediates) = rest.split_last().unwrap();
    verify_chain(
        leaf,
        intermediates,
        std::slice::from_ref(root),
        at("2026-06-01T00:00:00Z"),
    )
    .map(|path| path.len())
}

#[test]
fn a_chain_verifies_link_by_link() {
    let good = [
        Wanted::authority("root"),
        Wanted::authority("one"),
        Wanted::authority("two"),
        Wanted::leaf("leaf"),
    ];
    let made = chain(&good);
    assert_eq!(verify(&made), Ok(4));
    assert_eq!(made[3].uris, ["spiffe://td/ns/a/sa/b"]);
    // In any order, with strangers among them, and the certificate itself.
    let shuffled = [made[3].clone(), made[2].clone(), one(ALPHA_EAST), made[1].clone()];
    let roots = [one(BETA), made[0].clone()];
    let now = at("2026-06-01T00:00:00Z");
    let path = verify_chain(&made[3], &shuffled, &roots, now).unwrap();
    let subjects: Vec<&str> = path
        .iter()
        .map(|certificate| certificate.subject.as_str())
        .collect();
    assert_eq!(subjects, ["CN=leaf", "CN=two", "CN=one", "CN=root"]);
    // A link that is missing, or is another's with the same name.
    assert!(matches!(
        verify_chain(&made[3], &made[2..3], &roots, now),
        Err(ChainError::NoIssuer { subject, .. }) if subject == "CN=two"
    ));
    let other = chain(&good);
    assert!(matches!(
        verify_chain(&made[3], &[made[2].clone(), other[1].clone()], &roots, now),
        Err(ChainError::Signature { subject, .. }) if subject == "CN=two"
    ));
    assert!(matches!(
        verify_chain(&made[1], &[], &other[..1], now),
        Err(ChainError::Signature { issuer_sha256, .. }) if issuer_sha256 == other[0].sha256
    ));
    assert_eq!(verify_chain(&made[3], &made, &[], now), Err(ChainError::NoRoots));
    // A root is its own proof, as in Istio's self-signed form.
    assert_eq!(verify_chain(&made[0], &[], &made[..1], now).unwrap().len(), 1);
    // Two roots that issued each other end the search.
    assert!(verify_chain(&one(BETA_EAST), &made, &roots[1..], now).is_err());
}

#[test]
fn what_may_not_sign_does_not() {
    let with = |change: &dyn Fn(&mut Vec<Wanted>)| {
        let mut wanted = vec![
            Wanted::authority("root"),
            Wanted::authority("one"),
            Wanted::authority("two"),
        ];
        change(&mut wanted);
        verify(&chain(&wanted))
    };
    assert_eq!(with(&|_| {}), Ok(3));
    assert!(matches!(
        with(&|wanted| wanted[1].authority = None),
        Err(ChainError::NotAnAuthority { subject }) if subject == "CN=one"
    ));
    assert!(matches!(
        with(&|wanted| wanted[1].usages = vec![KeyUsagePurpose::CrlSign]),
        Err(ChainError::NotAnAuthority { subject }) if subject == "CN=one"
    ));
    assert_eq!(with(&|wanted| wanted[1].usages.clear()), Ok(3));
    assert!(matches!(
        with(&|wanted| wanted[0].authority = Some(BasicConstraints::Constrained(1))),
        Err(ChainError::PathLength { subject, allowed: 1, found: 2 }) if subject == "CN=root"
    ));
    assert_eq!(
        with(&|wanted| wanted[0].authority = Some(BasicConstraints::Constrained(2))),
        Ok(3)
    );
    for index in 0..3 {
        assert!(matches!(
            with(&|wanted| wanted[index].years = (2020, 2026)),
            Err(ChainError::Expired { .. })
        ));
        assert!(matches!(
            with(&|wanted| wanted[index].years = (2027, 2030)),
            Err(ChainError::NotYetValid { .. })
        ));
    }
    for (algorithm, name) in [
        (&PKCS_ECDSA_P384_SHA384, "ECDSA P-384"),
        (&PKCS_ED25519, "Ed25519"),
    ] {
        let mut wanted = vec![Wanted::authority("root"), Wanted::authority("one")];
        wanted[0].algorithm = algorithm;
        let made = chain(&wanted);
        assert_eq!(made[0].public_key_algorithm, name);
        assert_eq!(verify(&made), Ok(2));
    }
}

#[test]
fn a_chain_that_is_too_long_is_given_up() {
    let names: [&'static str; 12] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];
    let wanted: Vec<Wanted> = names.into_iter().map(Wanted::authority).collect();
    assert!(matches!(verify(&chain(&wanted)), Err(ChainError::TooLong { .. })));
    assert_eq!(verify(&chain(&wanted[..8])), Ok(8));
}
