//! TLS over a stream: rustls with ring, TLS 1.3 or 1.2 (kubectl's lowest), sessions resumed. What many
//! endpoints have in common (an authority, a client key) is made ready once and shared.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::client_certificate::{Always, certified};
use super::endpoint::{Authority, ClientCertificate};
use super::trouble::{Trouble, io_words};
use super::verifier;
use super::watched::Watched;
use crate::inventory::FailureClass;

/// ALPN names (RFC 7301, IANA's registry).
const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// Sessions remembered by server; an API server gives one or two tickets per connection.
const SESSIONS: usize = 8;

type Fingerprint = [u8; 32];

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
static VERIFIERS: Shared<VerifierBox> = Shared::new();
static KEYS: Shared<CertifiedKey> = Shared::new();
static CONFIGURATIONS: Shared<Configurations> = Shared::new();

/// A verifier in a box, since a weak reference needs a sized type.
struct VerifierBox(Arc<dyn ServerCertVerifier>);

/// Things made once for all that ask for them at the same time, by a fingerprint of what they are
/// made of; forgotten when nobody uses them any more.
struct Shared<Thing> {
    known: LazyLock<Mutex<HashMap<Fingerprint, Weak<Thing>>>>,
}

impl<Thing> Shared<Thing> {
    const fn new() -> Self {
        Self {
            known: LazyLock::new(Mutex::default),
        }
    }

    fn get(
        &self,
        fingerprint: Fingerprint,
        make: impl FnOnce() -> Result<Thing, Trouble>,
    ) -> Result<Arc<Thing>, Trouble> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thing) = known.get(&fingerprint).and_then(Weak::upgrade) {
            return Ok(thing);
        }
        let thing = Arc::new(make()?);
        if known.len() == known.capacity() {
            known.retain(|_, thing| thing.strong_count() > 0);
        }
        known.insert(fingerprint, Arc::downgrade(&thing));
        Ok(thing)
    }
}

/// One server's TLS, as one client: the same, but for what is offered to be spoken on it.
struct Configurations {
    best: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
    /// What the configurations refer to stays known for as long as they do.
    _verifier: Arc<VerifierBox>,
}

/// How TLS is spoken with one server. Clones share its sessions.
#[derive(Clone)]
pub(super) struct Tls {
    name: ServerName<'static>,
    configurations: Arc<Configurations>,
}

impl Tls {
    /// TLS with the server that `place` (host and port) names, which has to prove that it is `name`.
    pub(super) fn new(
        place: &str,
        name: &str,
        authority: &Authority,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Self, Trouble> {
        let name = server_name(name)?;
        let of_authority = fingerprint_of_authority(authority);
        let of_certificate = certificate.map(fingerprint_of_certificate);
        let mut whole = Sha256::new();
        whole.update(of_authority);
        whole.update(of_certificate.unwrap_or_default());
        for text in [place, &name.to_str()] {
            put(&mut whole, text.as_bytes());
        }
        let configurations = CONFIGURATIONS.get(whole.finalize().into(), || {
            let verifier = VERIFIERS.get(of_authority, || {
                verifier::of(authority, &PROVIDER).map(VerifierBox)
            })?;
            let key = match (certificate, of_certificate) {
                (Some(certificate), Some(fingerprint)) => {
                    Some(KEYS.get(fingerprint, || certified(certificate))?)
                }
                _ => None,
            };
            configurations(verifier, key)
        })?;
        Ok(Self { name, configurations })
    }

    /// The handshake. `who` is what errors call the server.
    pub(super) async fn handshake<Stream>(
        &self,
        stream: Stream,
        http1_only: bool,
        who: &str,
    ) -> Result<TlsStream<Watched<Stream>>, Trouble>
    where
        Stream: AsyncRead + AsyncWrite + Unpin,
    {
        let configuration = if http1_only {
            &self.configurations.http1
        } else {
            &self.configurations.best
        };
        let stream = Watched::new(stream);
        let opening = stream.opening().clone();
        TlsConnector::from(Arc::clone(configuration))
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| {
                if opening.is_http() {
                    Trouble::new(
                        FailureClass::Tls,
                        format!("{who} speaks plain HTTP where TLS is wanted: its URL may have to begin with http://, or the port is another's"),
                    )
                } else {
                    of_handshake(&error, opening.is_silence(), who)
                }
            })
    }
}

/// Whether HTTP/2 was agreed on.
pub(super) fn is_http2<Stream>(stream: &TlsStream<Stream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

fn configurations(
    verifier: Arc<VerifierBox>,
    key: Option<Arc<CertifiedKey>>,
) -> Result<Configurations, Trouble> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_safe_default_protocol_versions()
        .map_err(|_| Trouble::configuration("TLS cannot be set up"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier.0));
    let mut best = match key {
        Some(key) => builder.with_client_cert_resolver(Arc::new(Always(key))),
        None => builder.with_no_client_auth(),
    };
    best.resumption = Resumption::store(Arc::new(ClientSessionMemoryCache::new(SESSIONS)));
    let mut http1 = best.clone();
    best.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    http1.alpn_protocols = vec![HTTP1.to_vec()];
    Ok(Configurations {
        best: Arc::new(best),
        http1: Arc::new(http1),
        _verifier: verifier,
    })
}

/// The name that a server has to prove. A dot at its end says that the name is whole, and is no part
/// of what certificates hold (RFC 6066, section 3).
fn server_name(name: &str) -> Result<ServerName<'static>, Trouble> {
    let bare = name.trim_matches(['[', ']']);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    ServerName::try_from(bare.to_owned())
        .map_err(|_| Trouble::configuration(format!("{name:?} is no name that a certificate could bear")))
}

fn put(digest: &mut Sha256, bytes: &[u8]) {
    digest.update(bytes.len().to_le_bytes());
    digest.update(bytes);
}

fn fingerprint_of_authority(authority: &Authority) -> Fingerprint {
    let mut digest = Sha256::new();
    match authority {
        Authority::Machine => digest.update([0]),
        Authority::Unchecked => digest.update([1]),
        Authority::Certificates(certificates) => {
            digest.update([2]);
            for certificate in certificates {
                put(&mut digest, certificate);
            }
        }
    }
    digest.finalize().into()
}

fn fingerprint_of_certificate(certificate: &ClientCertificate) -> Fingerprint {
    let mut digest = Sha256::new();
    put(&mut digest, &certificate.chain);
    put(&mut digest, certificate.key.expose().as_bytes());
    digest.finalize().into()
}

/// Why a handshake failed.
fn of_handshake(error: &io::Error, silent: bool, who: &str) -> Trouble {
    let inside = error.get_ref().and_then(|inside| inside.downcast_ref::<Error>());
    let Some(tls) = inside else {
        let class = FailureClass::Tls;
        let words = io_words(error);
        return if silent {
            Trouble::new(class, format!("{who} did not answer the TLS handshake: {words}"))
        } else {
            Trouble::new(class, format!("{who} broke the TLS handshake off: {words}"))
        };
    };
    match tls {
        Error::InvalidCertificate(CertificateError::Other(reason)) => Trouble::new(
            FailureClass::Certificate,
            format!("the certificate of {who} {reason}"),
        ),
        Error::InvalidCertificate(reason) => Trouble::new(
            FailureClass::Certificate,
            format!("the certificate of {who} is not accepted: {reason}"),
        ),
        Error::NoCertificatesPresented => Trouble::new(
            FailureClass::Certificate,
            format!("{who} presented no certificate"),
        ),
        Error::AlertReceived(alert) => Trouble::new(
            FailureClass::Tls,
            format!("{who} broke the TLS handshake off: {}", alert_words(*alert)),
        ),
        Error::PeerIncompatible(_) => Trouble::new(
            FailureClass::Tls,
            format!("{who} speaks no version or cipher of TLS that is safe to use (1.3 and 1.2 are)"),
        ),
        Error::InvalidMessage(_) => Trouble::new(
            FailureClass::Tls,
            format!("{who} does not speak TLS on that port"),
        ),
        _ => Trouble::new(FailureClass::Tls, format!("the TLS handshake with {who} failed")),
    }
}

/// What a server means by an alert (RFC 8446, section 6.2).
pub(super) fn alert_words(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "it wants a client certificate, and there is none".to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => {
            format!("it does not take the client certificate ({alert:?})")
        }
        AlertDescription::CertificateExpired => "it says that the client certificate has expired".to_owned(),
        AlertDescription::CertificateRevoked => "it says that the client certificate is revoked".to_owned(),
        AlertDescription::UnrecognisedName => "it serves no host of that name".to_owned(),
        AlertDescription::ProtocolVersion => "it speaks no version of TLS that is safe to use".to_owned(),
        AlertDescription::HandshakeFailure => {
            "it shares no cipher with this client, or wants a client certificate".to_owned()
        }
        alert => format!("alert {alert:?}"),
    }
}
