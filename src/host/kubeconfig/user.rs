//! From a kubeconfig's user to where its credential comes from. Of what a user may have, kubectl uses
//! one: a token before a user name and password, those before an auth provider, and a plugin only
//! where there is neither one of them nor a client certificate (client-go
//! `plugin/pkg/client/auth/exec/exec.go`, `UpdateTransportConfig`).

use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use super::connection::Place;
use super::file::{AuthProvider, Cluster, Exec, User};
use super::{KubeconfigError, pem};
use crate::connection::credential::plugin::{
    ApiVersion, InteractiveMode, PLUGIN_EXTENSION, Plugin, PluginCluster,
};
use crate::connection::credential::{Bearer, Source};
use crate::connection::endpoint::ClientCertificate;
use crate::host::sensitive::Sensitive;

/// What of a user is shown to an API server. `authority` is what the kubeconfig has of the
/// cluster's authority, byte by byte.
pub(super) async fn source(
    place: &Place<'_>,
    user: &User,
    cluster: &Cluster,
    authority: Vec<u8>,
) -> Result<Source, KubeconfigError> {
    let basic = !user.username.is_empty() || !user.password.is_empty();
    if basic && !user.token.is_empty() {
        return Err(place.error(
            "token",
            "a user name and password are given as well; leave one out",
        ));
    }
    let certificate = client_certificate(place, user).await?;
    if user.exec.is_some() && user.auth_provider.is_some() {
        return Err(place.error("auth-provider", "`exec` is given as well; leave one out"));
    }
    // What is wrong with it is said even where it is left aside, as by kubectl.
    let plugin = match &user.exec {
        Some(exec) => Some(plugin(place, exec, cluster, authority)?),
        None => None,
    };
    let provided = match &user.auth_provider {
        Some(provider) => Some(open_id(place, provider)?),
        None => None,
    };
    let token = (!user.token.is_empty()).then(|| Sensitive::new(&user.token));
    let bearer = if !user.token_file.is_empty() {
        Bearer::File {
            path: place.resolve(&user.token_file),
            fallback: token,
        }
    } else if let Some(token) = token {
        Bearer::Token(token)
    } else if basic {
        Bearer::Basic {
            username: user.username.clone(),
            password: Sensitive::new(&user.password),
        }
    } else if let Some(token) = provided {
        Bearer::OpenId(token)
    } else {
        match plugin {
            Some(plugin) if certificate.is_none() => Bearer::Plugin(Arc::new(plugin)),
            _ => Bearer::None,
        }
    };
    Ok(Source { certificate, bearer })
}

async fn client_certificate(
    place: &Place<'_>,
    user: &User,
) -> Result<Option<Arc<ClientCertificate>>, KubeconfigError> {
    let certificate = place
        .bytes(
            "client-certificate",
            &user.client_certificate,
            &user.client_certificate_data,
        )
        .await?;
    // A key without a certificate is passed over, as by kubectl.
    let Some(chain) = certificate else {
        return Ok(None);
    };
    let key = place
        .bytes("client-key", &user.client_key, &user.client_key_data)
        .await?
        .ok_or_else(|| {
            place.error(
                "client-key",
                "it is not given, and the client certificate needs it",
            )
        })?;
    if pem::certificates(&chain).is_empty() {
        return Err(place.error("client-certificate", "it holds no certificate in PEM"));
    }
    let key = String::from_utf8(key)
        .ok()
        .filter(|key| PrivateKeyDer::from_pem_slice(key.as_bytes()).is_ok())
        .ok_or_else(|| {
            place.error(
                "client-key",
                "it holds no private key in PEM that can be used (encrypted ones cannot)",
            )
        })?;
    Ok(Some(Arc::new(ClientCertificate {
        chain,
        key: Sensitive::new(key),
    })))
}

fn plugin(
    place: &Place<'_>,
    exec: &Exec,
    cluster: &Cluster,
    authority: Vec<u8>,
) -> Result<Plugin, KubeconfigError> {
    if exec.command.is_empty() {
        return Err(place.error("exec.command", "it is not given"));
    }
    let api_version = ApiVersion::parse(&exec.api_version).ok_or_else(|| {
        place.error(
            "exec.apiVersion",
            "it is not client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1",
        )
    })?;
    let interactive_mode = InteractiveMode::parse(&exec.interactive_mode, api_version).ok_or_else(|| {
        let problem = if exec.interactive_mode.is_empty() {
            "it is not given (Never, IfAvailable, Always)"
        } else {
            "it is not Never, IfAvailable or Always"
        };
        place.error("exec.interactiveMode", problem)
    })?;
    if exec.env.iter().any(|variable| variable.name.is_empty()) {
        return Err(place.error("exec.env", "a variable has no name"));
    }
    let command = if exec.command.contains(std::path::MAIN_SEPARATOR) {
        place.resolve(&exec.command).to_string_lossy().into_owned()
    } else {
        exec.command.clone()
    };
    let environment = exec
        .env
        .iter()
        .map(|entry| (entry.name.clone(), Sensitive::new(&entry.value)));
    let cluster = exec.provide_cluster_info.then(|| PluginCluster {
        server: server_for_plugin(&cluster.server),
        tls_server_name: cluster.tls_server_name.clone(),
        insecure_skip_tls_verify: cluster.insecure_skip_tls_verify,
        certificate_authority_data: authority,
        proxy_url: cluster.proxy_url.clone(),
        disable_compression: cluster.disable_compression,
        config: cluster
            .extensions
            .iter()
            .find(|extension| extension.name == PLUGIN_EXTENSION)
            .map(|extension| extension.extension.value())
            .unwrap_or_default(),
    });
    Ok(Plugin {
        api_version,
        command,
        arguments: exec.args.clone(),
        environment: environment.collect(),
        interactive_mode,
        install_hint: exec.install_hint.clone(),
        cluster,
    })
}

/// The server as a plugin is told of it: as the kubeconfig has it, and where its path is longer than
/// one character, without query and fragment (client-go `DirectClientConfig.ClientConfig`).
fn server_for_plugin(server: &str) -> String {
    let end = server.find(['?', '#']).unwrap_or(server.len());
    let after_scheme = server.find("://").map_or(0, |at| at + 3);
    let path = server[after_scheme.min(end)..end].find('/');
    match path {
        Some(start) if end - after_scheme - start > 1 => server[..end].to_owned(),
        _ => server.to_owned(),
    }
}

fn open_id(place: &Place<'_>, provider: &AuthProvider) -> Result<Sensitive, KubeconfigError> {
    if provider.name != "oidc" {
        return Err(place.error(
            "auth-provider.name",
            "only `oidc` is known; other providers have credential plugins (`exec`) now",
        ));
    }
    let value = |key: &str| {
        let value = provider.config.get(key).cloned();
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| place.error(&format!("auth-provider.config.{key}"), "it is not given"))
    };
    value("idp-issuer-url")?;
    value("client-id")?;
    value("id-token").map(Sensitive::new)
}
