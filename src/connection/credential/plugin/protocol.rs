//! What is said to a plugin and what it answers (client-go `pkg/apis/clientauthentication/v1`).

use std::sync::Arc;

use base64::Engine as _;
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::super::{Authorization, bearer_header};
use super::{Plugin, PluginCluster};
use crate::connection::endpoint::ClientCertificate;
use crate::host::sensitive::Sensitive;
use crate::yaml;

/// The variable that tells a plugin what is wanted.
pub(super) const INFORMATION: &str = "KUBERNETES_EXEC_INFO";

const KIND: &str = "ExecCredential";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Question<'plugin> {
    kind: &'static str,
    api_version: &'static str,
    spec: Specification<'plugin>,
}

#[derive(Serialize)]
struct Specification<'plugin> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ToldCluster<'plugin>>,
    interactive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ToldCluster<'plugin> {
    server: &'plugin str,
    #[serde(skip_serializing_if = "str::is_empty")]
    tls_server_name: &'plugin str,
    #[serde(skip_serializing_if = "is_false")]
    insecure_skip_tls_verify: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    certificate_authority_data: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    proxy_url: &'plugin str,
    #[serde(skip_serializing_if = "is_false")]
    disable_compression: bool,
    config: &'plugin Value,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `skip_serializing_if` passes a reference"
)]
fn is_false(truth: &bool) -> bool {
    !truth
}

impl<'plugin> From<&'plugin PluginCluster> for ToldCluster<'plugin> {
    fn from(cluster: &'plugin PluginCluster) -> Self {
        Self {
            server: &cluster.server,
            tls_server_name: &cluster.tls_server_name,
            insecure_skip_tls_verify: cluster.insecure_skip_tls_verify,
            certificate_authority_data: base64::engine::general_purpose::STANDARD
                .encode(&cluster.certificate_authority_data),
            proxy_url: &cluster.proxy_url,
            disable_compression: cluster.disable_compression,
            config: &cluster.config,
        }
    }
}

/// What [`INFORMATION`] holds: the very bytes that client-go's encoder writes, line break and
/// escapes of `encoding/json` included.
pub(super) fn question(plugin: &Plugin, interactive: bool) -> Option<String> {
    let question = Question {
        kind: KIND,
        api_version: plugin.api_version.as_str(),
        spec: Specification {
            cluster: plugin.cluster.as_ref().map(ToldCluster::from),
            interactive,
        },
    };
    let text = serde_json::to_string(&question).ok()?;
    let mut escaped = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // Outside strings JSON has none of these.
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped.push('\n');
    Some(escaped)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    kind: Option<String>,
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// What a plugin gave.
pub(super) struct Issued {
    /// What to show.
    pub authorization: Authorization,
    /// Until when it is good; none where the plugin does not say.
    pub expires: Option<Timestamp>,
}

/// Why a plugin's answer gives no credential. Nothing of the answer is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum AnswerError {
    #[error("printed no ExecCredential")]
    NotACredential,
    #[error("answered in another apiVersion than the kubeconfig gives it")]
    OtherVersion,
    #[error("gave no status")]
    NoStatus,
    #[error("gave neither a token nor a certificate")]
    Empty,
    #[error("gave a certificate without its key, or a key without its certificate")]
    HalfAPair,
    #[error("gave an expirationTimestamp that is no time (RFC 3339)")]
    Expiry,
    #[error("gave a token with characters that cannot be sent")]
    Token,
    #[error("gave a client certificate or key that is not PEM, or an encrypted key")]
    Certificate,
}

/// Reads what a plugin printed.
pub(super) fn answer(plugin: &Plugin, output: &[u8]) -> Result<Issued, AnswerError> {
    let answer: Answer = match serde_json::from_slice(output) {
        Ok(answer) => answer,
        // client-go's decoder takes YAML for what does not begin as JSON does.
        Err(_) if !output.trim_ascii_start().starts_with(b"{") => std::str::from_utf8(output)
            .ok()
            .and_then(|text| yaml::first_document(text).ok().flatten())
            .ok_or(AnswerError::NotACredential)?,
        Err(_) => return Err(AnswerError::NotACredential),
    };
    if answer.kind.as_deref() != Some(KIND) {
        return Err(AnswerError::NotACredential);
    }
    if answer.api_version.as_deref() != Some(plugin.api_version.as_str()) {
        return Err(AnswerError::OtherVersion);
    }
    let status = answer.status.ok_or(AnswerError::NoStatus)?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let token = given(status.token);
    let certificate = match (
        given(status.client_certificate_data),
        given(status.client_key_data),
    ) {
        (None, None) if token.is_none() => return Err(AnswerError::Empty),
        (None, None) => None,
        (Some(chain), Some(key)) => Some(Arc::new(pair(chain, key)?)),
        _ => return Err(AnswerError::HalfAPair),
    };
    Ok(Issued {
        authorization: Authorization {
            header: token
                .map(|token| bearer_header(&token).ok_or(AnswerError::Token))
                .transpose()?,
            certificate,
        },
        expires: status
            .expiration_timestamp
            .map(|text| text.parse().map_err(|_| AnswerError::Expiry))
            .transpose()?,
    })
}

fn pair(chain: String, key: String) -> Result<ClientCertificate, AnswerError> {
    let certificates = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>();
    if certificates.map_or(true, |certificates| certificates.is_empty())
        || PrivateKeyDer::from_pem_slice(key.as_bytes()).is_err()
    {
        return Err(AnswerError::Certificate);
    }
    Ok(ClientCertificate {
        chain: chain.into_bytes(),
        key: Sensitive::new(key),
    })
}
