//! What is shown to an API server with each request, and with the TLS handshake: a kubeconfig's user,
//! had once and shared, had anew when the server no longer takes it.

mod open_id;
pub mod plugin;
#[cfg(test)]
mod tests;
mod token_file;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use http::HeaderValue;
use jiff::Timestamp;
use tokio::time::Instant;

use super::endpoint::ClientCertificate;
use crate::host::sensitive::Sensitive;
use crate::inventory::{Failure, FailureClass};
use plugin::{Plugin, Plugins};
use token_file::TokenFile;

/// Where a credential comes from, as a kubeconfig's user says. It holds secrets, so it is not `Debug`.
#[derive(Clone, Default)]
pub struct Source {
    /// The certificate for the TLS handshake; none beside a plugin, which may give one.
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
#[derive(Clone, Default, PartialEq, Eq)]
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
    /// The file of [`Bearer::File`].
    file: Option<TokenFile>,
    plugins: Plugins,
}

impl Credential {
    /// A credential of a source; nothing is read or run yet. The registry is the session's: one for
    /// all contexts.
    pub fn new(source: Source, plugins: &Plugins) -> Self {
        Self {
            file: match &source.bearer {
                Bearer::File { path, .. } => Some(TokenFile::new(path.clone())),
                _ => None,
            },
            source,
            plugins: plugins.clone(),
        }
    }

    /// Another credential of the same session.
    #[must_use]
    pub fn replaced_by(&self, source: Source) -> Self {
        Self::new(source, &self.plugins)
    }

    /// What to show the server now. A plugin runs, or a file is read, where what was had before is
    /// not there or no longer good; callers at the same time share one run.
    ///
    /// A plugin is bounded by the registry's own time, which begins when its turn has come, and not
    /// by this deadline: somebody may be typing, or many others go before it. So a request's time
    /// begins when this has returned.
    ///
    /// # Errors
    ///
    /// Class `Authentication` where it cannot be had, `Timeout` where not in time; never with a word
    /// of what a plugin was given or gave.
    pub async fn authorization(&self, deadline: Instant) -> Result<Authorization, Failure> {
        let header = match &self.source.bearer {
            Bearer::None => None,
            Bearer::Token(token) => Some(bearer(token.expose())?),
            Bearer::File { fallback, .. } => {
                let read = match &self.file {
                    Some(file) => file.token(Instant::now(), deadline).await,
                    None => None,
                };
                let token = read
                    .or_else(|| fallback.clone())
                    .ok_or_else(|| unavailable("the kubeconfig's `tokenFile` gives no token"))?;
                Some(bearer(token.expose())?)
            }
            Bearer::Basic { username, password } => {
                let pair = format!("{username}:{}", password.expose());
                let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
                Some(sensitive(&format!("Basic {encoded}")).ok_or_else(unsendable)?)
            }
            Bearer::OpenId(token) => Some(open_id(token.expose())?),
            Bearer::Plugin(plugin) => {
                return self.plugins.authorization(plugin).await;
            }
        };
        Ok(Authorization {
            header,
            certificate: self.source.certificate.clone(),
        })
    }

    /// Has the plugin run, where there is one, before anything has a deadline: what has one for
    /// several requests together calls this first, and begins its time after it.
    ///
    /// # Errors
    ///
    /// As [`Self::authorization`].
    pub async fn prepare(&self) -> Result<(), Failure> {
        if let Bearer::Plugin(plugin) = &self.source.bearer {
            self.plugins.authorization(plugin).await?;
        }
        Ok(())
    }

    /// Takes note that the server answered 401 to what was shown. True where the next
    /// [`Self::authorization`] can give something else, so that asking again makes sense.
    pub async fn refused(&self, shown: &Authorization) -> bool {
        match &self.source.bearer {
            Bearer::File { .. } => {
                if let Some(file) = &self.file {
                    file.doubt();
                }
                let deadline = Instant::now() + TOKEN_FILE_PATIENCE;
                self.authorization(deadline).await.is_ok_and(|now| now != *shown)
            }
            Bearer::Plugin(plugin) => self.plugins.refused(plugin, shown),
            Bearer::None | Bearer::Token(_) | Bearer::Basic { .. } | Bearer::OpenId(_) => false,
        }
    }
}

/// How long a token file is read at most after a 401.
const TOKEN_FILE_PATIENCE: Duration = Duration::from_secs(1);

fn open_id(token: &str) -> Result<HeaderValue, Failure> {
    match open_id::has_expired(token, Timestamp::now()) {
        Some(false) => bearer(token),
        Some(true) => Err(unavailable(
            "the `id-token` of the auth-provider `oidc` has expired, and is not refreshed here; run kubectl with \
             the same context, which refreshes it in the kubeconfig, or use a credential plugin (`exec`)",
        )),
        None => Err(unavailable(
            "the `id-token` of the auth-provider `oidc` is no token with an expiry (RFC 7519)",
        )),
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    bearer_header(token).ok_or_else(unsendable)
}

/// None where the token holds characters that cannot be sent.
fn bearer_header(token: &str) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn unsendable() -> Failure {
    unavailable("the credential holds characters that cannot be sent")
}

fn unavailable(message: &str) -> Failure {
    Failure {
        class: FailureClass::Authentication,
        verb: "connect".to_owned(),
        resource: "the cluster".to_owned(),
        message: message.to_owned(),
    }
}
