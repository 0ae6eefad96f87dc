//! The fleet's authority, its clusters' certificates and its administrator's: ECDSA P-256, of which
//! a thousand are signed in a moment since they share a key.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};

use crate::fleet::SimulatorError;
use crate::people::User;

fn failed(error: impl std::fmt::Display) -> SimulatorError {
    crate::fleet::failed("make certificates")(error)
}

/// Whoever signs the clusters' certificates.
pub struct Authority {
    /// Its certificate, PEM.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
    server_key: KeyPair,
    signing: Arc<dyn SigningKey>,
    verifier: Arc<dyn rustls::server::danger::ClientCertVerifier>,
}

/// What can be wrong with a server's certificate that the right authority signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It ended an hour ago.
    Expired,
    /// It begins in an hour.
    NotYetValid,
    /// It names another host.
    OtherName,
    /// It names its host in its subject alone, as was done once.
    OnlyCommonName,
}

/// A certificate and its key, PEM.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl Authority {
    /// A new authority.
    ///
    /// # Errors
    ///
    /// Where the machine gives no randomness.
    pub fn new(name: &str) -> Result<Self, SimulatorError> {
        let key = KeyPair::generate().map_err(failed)?;
        let parameters = authority(name, BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self::with(pem, der, Issuer::new(parameters, key))
    }

    /// One that stands already, by its certificate and its key, PEM.
    ///
    /// # Errors
    ///
    /// Where they are none.
    pub fn standing(certificate: &str, key: &str) -> Result<Self, SimulatorError> {
        let key = KeyPair::from_pem(key).map_err(failed)?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(failed)?;
        let issuer = Issuer::from_ca_cert_pem(certificate, key).map_err(failed)?;
        Self::with(certificate.to_owned(), der, issuer)
    }

    fn with(
        pem: String,
        certificate: CertificateDer<'_>,
        issuer: Issuer<'static, KeyPair>,
    ) -> Result<Self, SimulatorError> {
        let server_key = KeyPair::generate().map_err(failed)?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
        let signing = rustls::crypto::ring::sign::any_supported_type(&der).map_err(failed)?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate).map_err(failed)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()
            .map_err(failed)?;
        Ok(Self {
            pem,
            issuer,
            server_key,
            signing,
            verifier,
        })
    }

    /// A cluster's TLS: its own certificate and ticket key; HTTP/2 offered where wanted.
    ///
    /// # Errors
    ///
    /// Where the certificate cannot be signed.
    pub fn server(&self, name: &str, address: IpAddr, http2: bool) -> Result<ServerConfig, SimulatorError> {
        let mut parameters = parameters(name, None);
        parameters.subject_alt_names = vec![
            SanType::IpAddress(address),
            SanType::DnsName(name.try_into().map_err(failed)?),
            SanType::DnsName("localhost".try_into().map_err(failed)?),
        ];
        self.server_of(parameters, http2)
    }

    /// TLS whose certificate has a fault.
    ///
    /// # Errors
    ///
    /// Where the certificate cannot be signed.
    pub fn flawed_server(&self, flaw: Flaw, address: IpAddr) -> Result<ServerConfig, SimulatorError> {
        const HOUR: Duration = Duration::from_secs(3600);
        let mut parameters = parameters(&address.to_string(), None);
        parameters.subject_alt_names = vec![SanType::IpAddress(address)];
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = rcgen::date_time_ymd(1970, 1, 1) + since.map_err(failed)?;
        match flaw {
            Flaw::Expired => parameters.not_after = now - HOUR,
            Flaw::NotYetValid => parameters.not_before = now + HOUR,
            Flaw::OtherName => {
                let name = "elsewhere.test".try_into().map_err(failed)?;
                parameters.subject_alt_names = vec![SanType::DnsName(name)];
            }
            Flaw::OnlyCommonName => parameters.subject_alt_names.clear(),
        }
        self.server_of(parameters, true)
    }

    fn server_of(
        &self,
        mut parameters: CertificateParams,
        http2: bool,
    ) -> Result<ServerConfig, SimulatorError> {
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters
            .signed_by(&self.server_key, &self.issuer)
            .map_err(failed)?;
        let certified = CertifiedKey::new(vec![certificate.der().clone()], Arc::clone(&self.signing));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(failed)?
            .with_client_cert_verifier(Arc::clone(&self.verifier))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.ticketer = rustls::crypto::ring::Ticketer::new().map_err(failed)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        // Go's servers send one, too.
        config.send_tls13_tickets = 1;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if http2 {
            config.alpn_protocols.insert(0, b"h2".to_vec());
        }
        Ok(config)
    }

    /// The administrator's certificate.
    ///
    /// # Errors
    ///
    /// Where it cannot be signed.
    pub fn administrator(&self) -> Result<ClientCertificate, SimulatorError> {
        let user = User::administrator();
        let key = KeyPair::generate().map_err(failed)?;
        let mut parameters = parameters(&user.name, user.groups.first().map(String::as_str));
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(ClientCertificate {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// The root of the simulated mesh.
pub struct MeshRoot {
    /// Its certificate, PEM.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
    key: KeyPair,
}

impl MeshRoot {
    /// A new root.
    ///
    /// # Errors
    ///
    /// Where the machine gives no randomness.
    pub fn new() -> Result<Self, SimulatorError> {
        let key = KeyPair::generate().map_err(failed)?;
        let parameters = authority("Root CA", BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        Ok(Self {
            pem: certificate.pem(),
            issuer: Issuer::new(parameters, key),
            key: KeyPair::generate().map_err(failed)?,
        })
    }

    /// A cluster's intermediate, PEM.
    ///
    /// # Errors
    ///
    /// Where it cannot be signed.
    pub fn intermediate(&self, cluster: &str) -> Result<ClientCertificate, SimulatorError> {
        let parameters = authority(
            &format!("Intermediate CA {cluster}"),
            BasicConstraints::Constrained(0),
        );
        let certificate = parameters.signed_by(&self.key, &self.issuer).map_err(failed)?;
        Ok(ClientCertificate {
            certificate: certificate.pem(),
            key: self.key.serialize_pem(),
        })
    }
}

fn authority(name: &str, constraints: BasicConstraints) -> CertificateParams {
    let mut parameters = parameters(name, Some("Istio"));
    parameters.is_ca = IsCa::Ca(constraints);
    parameters.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    parameters
}

fn parameters(common_name: &str, organization: Option<&str>) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.not_before = rcgen::date_time_ymd(2025, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2099, 1, 1);
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
    parameters
}

/// Whom a client certificate names: the common name is the user, organizations are the groups.
pub fn user_of(certificate: &CertificateDer<'_>) -> Option<User> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let subject = parsed.subject();
    let name = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
    let groups = subject
        .iter_organization()
        .filter_map(|organization| Some(organization.as_str().ok()?.to_owned()))
        .collect();
    let digest = Sha256::digest(certificate);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(User {
        name,
        groups,
        uid: String::new(),
        credential: format!("X509SHA256={digest}"),
    })
}
