//! A cluster's keys and certificates: a CA of its own, the API server's certificate, an
//! administrator's, and the key that signs ServiceAccount tokens. All P-256: a lab is made in
//! seconds.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};

use super::error::LabError;
use super::shape::ClusterShape;

/// Keys and certificates as PEM, of which the kubeconfigs are made; the rest is in files.
pub struct Credentials {
    /// The CA's certificate.
    pub authority: String,
    /// The administrator's certificate.
    pub certificate: String,
    /// The administrator's key.
    pub key: String,
}

/// Makes the cluster's keys and certificates, writes those that its programs read into its folder,
/// and gives those that its users need.
pub fn make(shape: &ClusterShape, folder: &Path) -> Result<Credentials, LabError> {
    let failed =
        |error: rcgen::Error| LabError::system(format!("make certificates for {}", shape.context()), error);

    let authority_key = KeyPair::generate().map_err(failed)?;
    let mut authority = parameters(&format!("stolos lab {} CA", shape.context()), None)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    let authority_pem = authority.self_signed(&authority_key).map_err(failed)?.pem();
    let issuer = Issuer::from_params(&authority, &authority_key);

    let server_key = KeyPair::generate().map_err(failed)?;
    let mut server = parameters("kube-apiserver", None)?;
    for name in shape.server_names() {
        let name = name.try_into().map_err(failed)?;
        server.subject_alt_names.push(SanType::DnsName(name));
    }
    for address in shape.server_addresses() {
        server.subject_alt_names.push(SanType::IpAddress(address.into()));
    }
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server_pem = server.signed_by(&server_key, &issuer).map_err(failed)?.pem();

    let administrator_key = KeyPair::generate().map_err(failed)?;
    let mut administrator = parameters("lab-administrator", Some("system:masters"))?;
    administrator.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let administrator_pem = administrator
        .signed_by(&administrator_key, &issuer)
        .map_err(failed)?
        .pem();

    let accounts_key = KeyPair::generate().map_err(failed)?;
    for (name, text) in [
        ("ca.crt", &authority_pem),
        ("ca.key", &authority_key.serialize_pem()),
        ("server.crt", &server_pem),
        ("server.key", &server_key.serialize_pem()),
        ("accounts.key", &accounts_key.serialize_pem()),
        ("accounts.pub", &accounts_key.public_key_pem()),
    ] {
        write_private(&folder.join(name), text.as_bytes())?;
    }
    Ok(Credentials {
        authority: authority_pem,
        certificate: administrator_pem,
        key: administrator_key.serialize_pem(),
    })
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| LabError::file("write", path, error))
}

/// The parameters of a certificate that is valid from yesterday, for clocks that differ, for a
/// year.
fn parameters(common_name: &str, organization: Option<&str>) -> Result<CertificateParams, LabError> {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (first, last) = (
        today.saturating_sub(jiff::Span::new().days(1)),
        today.saturating_add(jiff::Span::new().days(365)),
    );
    let part = |number: i8| u8::try_from(number).map_err(|error| LabError::system("read the clock", error));
    let mut parameters = CertificateParams::default();
    parameters.not_before = date_time_ymd(first.year().into(), part(first.month())?, part(first.day())?);
    parameters.not_after = date_time_ymd(last.year().into(), part(last.month())?, part(last.day())?);
    parameters.distinguished_name = DistinguishedName::new();
    if let Some(organization) = organization {
        parameters
            .distinguished_name
            .push(DnType::OrganizationName, organization);
    }
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer, X509Certificate};

    use super::*;
    use crate::lab::shape::LabName;

    #[test]
    fn certificates_hold_what_both_sides_dial() {
        let folder = tempfile::tempdir().unwrap();
        let shape = &LabName::default().clusters(3)[2];
        let credentials = make(shape, folder.path()).unwrap();

        let server = pem(&fs::read(folder.path().join("server.crt")).unwrap());
        let server = X509Certificate::from_der(&server).unwrap().1;
        let names = format!("{:?}", server.subject_alternative_name().unwrap().unwrap().value);
        for name in [
            "localhost",
            "kubernetes.default.svc",
            "[127, 0, 0, 1]",
            "[10, 240, 3, 1]",
            "[10, 3, 0, 1]",
        ] {
            assert!(names.contains(name), "{name} in {names}");
        }
        let authority = pem(credentials.authority.as_bytes());
        let authority = X509Certificate::from_der(&authority).unwrap().1;
        assert!(authority.is_ca());
        for certificate in [&server, &authority] {
            certificate
                .verify_signature(Some(authority.public_key()))
                .unwrap();
            assert!(certificate.validity().is_valid());
        }
        let administrator = pem(credentials.certificate.as_bytes());
        let administrator = X509Certificate::from_der(&administrator).unwrap().1;
        assert_eq!(
            administrator.subject().to_string(),
            "O=system:masters, CN=lab-administrator"
        );
    }

    #[test]
    fn only_the_owner_reads_the_keys() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        make(&LabName::default().clusters(1)[0], folder.path()).unwrap();
        for name in ["ca.key", "server.key", "accounts.key"] {
            let mode = fs::metadata(folder.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    fn pem(bytes: &[u8]) -> Vec<u8> {
        x509_parser::pem::parse_x509_pem(bytes).unwrap().1.contents
    }
}
