//! What is shown to an API server with each request, and with the TLS handshake: a kubeconfig's user,
//! had once and shared, had anew when the server no longer takes it.

pub mod plugin;

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use http::HeaderValue;
use tokio::time::Instant;

use super::endpoint::ClientCertificate;
use crate::host::sensitive::Sensitive;
use crate::inventory::{Failure, FailureClass};
use plugin::{Plugin, Plugins};

/// Where a credential comes from, as a kubeconfig's user says. It holds secrets, so it is not `Debug`.
#[derive(Clone, Default)]
pub struct Source {
    /// The certificate for the TLS handshake; a plugin may give another.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// What the `Authorization` header is made of.
    pub bearer: Bearer,
}

/// What the `Authorization` header is made of.
#[derive(Clone, Default)]
pub enum Bearer {
    /// There is none.
    #[default]
    None,
    /// A token that stands in the kubeconfig.
    Token(Sensitive),
    /// A file that holds a token, read again as it changes.
    File {
        /// The file.
        path: PathBuf,
        /// The token to fall back on where the file cannot be read.
        fallback: Option<Sensitive>,
    },
    /// A user name and a password (RFC 7617).
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Sensitive,
    },
    /// The `id-token` of an auth-provider `oidc`. It is not refreshed.
    OpenId(Sensitive),
    /// What a plugin gives, a token or a certificate or both. As with kubectl a plugin is left
    /// aside where the user has a token, a token file, a user name or password, or a client
    /// certificate with its key.
    Plugin(Arc<Plugin>),
}

/// What a connection and its requests carry.
#[derive(Clone, Default)]
pub struct Authorization {
    /// The `Authorization` header, marked as sensitive.
    pub header: Option<HeaderValue>,
    /// The certificate for the TLS handshake.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// The credential of one context. Clones share it.
#[derive(Clone)]
pub struct Credential {
    source: Source,
    plugins: Plugins,
}

impl Credential {
    /// A credential of a source; nothing is read or run yet. The registry is the session's: one for
    /// all contexts.
    pub fn new(source: Source, plugins: &Plugins) -> Self {
        Self {
            source,
            plugins: plugins.clone(),
        }
    }

    /// What to show the server now. A plugin runs, or a file is read, where what was had before is
    /// not there or no longer good; callers at the same time share one run.
    ///
    /// # Errors
    ///
    /// Class `Authentication` where it cannot be had, `Timeout` where not by the deadline; never with
    /// a word of what a plugin was given or gave.
    pub async fn authorization(&self, deadline: Instant) -> Result<Authorization, Failure> {
        let header = match &self.source.bearer {
            Bearer::None => None,
            Bearer::Token(token) => Some(bearer(token.expose())?),
            Bearer::File { path, fallback } => {
                let read = tokio::time::timeout_at(deadline, tokio::fs::read_to_string(path)).await;
                match (read, fallback) {
                    (Ok(Ok(token)), _) if !token.trim().is_empty() => Some(bearer(token.trim())?),
                    (_, Some(fallback)) => Some(bearer(fallback.expose())?),
                    _ => return Err(unavailable("the kubeconfig's `tokenFile` gives no token")),
                }
            }
            Bearer::OpenId(token) => Some(bearer(token.expose())?),
            Bearer::Plugin(_) => return Err(unavailable("credential plugins are not written yet")),
            Bearer::Basic { username, password } => {
                let pair = format!("{username}:{}", password.expose());
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
                Some(sensitive(&format!("Basic {encoded}"))?)
            }
        };
        Ok(Authorization {
            header,
            certificate: self.source.certificate.clone(),
        })
    }

    /// Takes note that the server answered 401 to what was shown. True where the next
    /// [`Self::authorization`] can give something else, so that asking again makes sense.
    pub async fn refused(&self, _shown: &Authorization) -> bool {
        false
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| unavailable("the credential holds characters that cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unavailable(message: &str) -> Failure {
    Failure {
        class: FailureClass::Authentication,
        verb: "connect".to_owned(),
        resource: "the cluster".to_owned(),
        message: message.to_owned(),
    }
}
