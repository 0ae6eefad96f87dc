//! From one context to how its cluster is reached (client-go `tools/clientcmd/client_config.go` and
//! `validation.go`). `kube::Config` is built field by field: kube's own loader takes the whole
//! kubeconfig by value for each context, and its errors repeat what stands there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use kube::config::{AuthInfo, AuthProviderConfig, ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::file::{AuthProvider, Cluster, Exec, User};
use super::{KubeconfigError, Kubeconfigs, Named, proxy};

/// How a connection is to be made, beyond what the kubeconfig says.
#[derive(Debug, Clone)]
pub struct ConnectionOptions {
    /// Act as this user, whatever the kubeconfig says.
    pub impersonate: Option<String>,
    /// Act as a member of these groups.
    pub impersonate_groups: Vec<String>,
    /// Time for a TCP and TLS connection.
    pub connect_timeout: Duration,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            impersonate: None,
            impersonate_groups: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// How a context's cluster is reached. It holds credentials, so it is not `Debug`.
#[derive(Clone)]
pub struct Connection {
    /// What a client is made from.
    pub config: kube::Config,
    /// The API server's URL, without credentials.
    pub server: String,
    /// The API server's authority as PEM, public; empty where the machine's own roots decide.
    pub authority_pem: String,
    /// The name that the server's certificate must bear, where the kubeconfig gives one.
    pub tls_server_name: String,
}

/// The key of a cluster's extension that is passed to a credential plugin (client-go `clientcmd`).
const PLUGIN_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Where a part of the kubeconfig stands, for errors.
struct Place<'kubeconfigs> {
    context: &'kubeconfigs str,
    file: &'kubeconfigs Path,
    /// Such as `users["a"].user`.
    prefix: String,
}

impl Place<'_> {
    fn error(&self, field: &str, problem: impl Into<String>) -> KubeconfigError {
        KubeconfigError::Unusable {
            context: self.context.to_owned(),
            file: self.file.to_owned(),
            field: if field.is_empty() {
                self.prefix.clone()
            } else {
                format!("{}.{field}", self.prefix)
            },
            problem: problem.into(),
        }
    }

    /// A path in the kubeconfig starts at the folder that the kubeconfig is in.
    fn resolve(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The bytes that either lie in the kubeconfig (base64) or in a file that it names; nothing
    /// where neither is given. Both at once is refused, as by kubectl.
    async fn bytes(&self, field: &str, file: &str, data: &str) -> Result<Option<Vec<u8>>, KubeconfigError> {
        let data_field = format!("{field}-data");
        match (file.is_empty(), data.is_empty()) {
            (true, true) => Ok(None),
            (false, false) => {
                Err(self.error(field, format!("`{data_field}` is given as well; leave one out")))
            }
            (true, false) => {
                // Go's decoder passes over line breaks.
                let compact: String = data.chars().filter(|c| !"\r\n".contains(*c)).collect();
                base64::engine::general_purpose::STANDARD
                    .decode(compact)
                    .map(Some)
                    .map_err(|_| self.error(&data_field, "it is not base64"))
            }
            (false, true) => self.read(field, file).await.map(Some),
        }
    }

    async fn read(&self, field: &str, file: &str) -> Result<Vec<u8>, KubeconfigError> {
        let path = self.resolve(file);
        tokio::fs::read(&path)
            .await
            .map_err(|error| self.error(field, format!("read {}: {error}", path.display())))
    }
}

/// How to reach the cluster of a context.
pub(super) async fn connect(
    kubeconfigs: &Kubeconfigs,
    context_name: &str,
    options: &ConnectionOptions,
    environment: &proxy::Environment,
) -> Result<Connection, KubeconfigError> {
    let context = kubeconfigs
        .contexts
        .get(context_name)
        .ok_or_else(|| kubeconfigs.no_context(context_name))?;
    let place = Place {
        context: context_name,
        file: &kubeconfigs.files[context.file],
        prefix: format!("contexts[{context_name:?}].context"),
    };
    let cluster = kubeconfigs
        .clusters
        .get(&context.value.cluster)
        .ok_or_else(|| missing(&place, "cluster", &context.value.cluster))?;
    let user = kubeconfigs
        .users
        .get(&context.value.user)
        .ok_or_else(|| missing(&place, "user", &context.value.user))?;
    let cluster_place = Place {
        prefix: format!("clusters[{:?}].cluster", cluster.name),
        file: &kubeconfigs.files[cluster.file],
        ..place
    };
    let user_place = Place {
        prefix: format!("users[{:?}].user", user.name),
        file: &kubeconfigs.files[user.file],
        ..place
    };
    let authority = cluster_place
        .bytes(
            "certificate-authority",
            &cluster.value.certificate_authority,
            &cluster.value.certificate_authority_data,
        )
        .await?;
    let url = server_url(&cluster_place, &cluster.value, &user.value)?;
    let mut config = kube::Config::new(url);
    config.default_retry = false;
    config.connect_timeout = Some(options.connect_timeout);
    config.accept_invalid_certs = cluster.value.insecure_skip_tls_verify;
    config.disable_compression = cluster.value.disable_compression;
    config.tls_server_name = nonempty(&cluster.value.tls_server_name);
    if !context.value.namespace.is_empty() {
        config.default_namespace.clone_from(&context.value.namespace);
    }
    config.proxy_url = proxy_url(&cluster_place, &cluster.value, &config.cluster_url, environment)?;
    let mut authority_pem = String::new();
    if let Some(bytes) = authority {
        if cluster.value.insecure_skip_tls_verify {
            return Err(cluster_place.error(
                "insecure-skip-tls-verify",
                "an authority is given as well; leave one out",
            ));
        }
        let certificates = certificates(&bytes)
            .ok_or_else(|| cluster_place.error("certificate-authority", "it holds no certificate in PEM"))?;
        authority_pem = certificates.iter().map(|der| to_pem(der)).collect();
        config.root_cert = Some(certificates);
    }
    // As kubectl: credentials never go over a connection without TLS.
    if config.cluster_url.scheme_str() == Some("https") {
        config.auth_info = credentials(&user_place, user, cluster, &authority_pem).await?;
    }
    impersonate(&user_place, &user.value, options, &mut config.auth_info)?;
    Ok(Connection {
        server: without_credentials(&cluster.value.server),
        authority_pem,
        tls_server_name: cluster.value.tls_server_name.clone(),
        config,
    })
}

fn missing(place: &Place<'_>, field: &str, name: &str) -> KubeconfigError {
    if name.is_empty() {
        place.error(field, "it is not given")
    } else {
        place.error(field, format!("there is no {field} {name:?}"))
    }
}

/// A URL without the user and password that may stand in it.
pub(super) fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url
        .split_once("://")
        .map_or(("", url), |(scheme, rest)| (scheme, rest));
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host_start = rest[..authority_end].rfind('@').map_or(0, |at| at + 1);
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{separator}{}", &rest[host_start..])
}

/// A server without a scheme is `https` where the kubeconfig says anything of TLS, else `http`
/// (client-go `rest.DefaultServerURL`).
fn server_url(place: &Place<'_>, cluster: &Cluster, user: &User) -> Result<http::Uri, KubeconfigError> {
    if cluster.server.is_empty() {
        return Err(place.error("server", "it is not given"));
    }
    let speaks_tls = cluster.insecure_skip_tls_verify
        || !cluster.certificate_authority.is_empty()
        || !cluster.certificate_authority_data.is_empty()
        || !user.client_certificate.is_empty()
        || !user.client_certificate_data.is_empty();
    let whole = if cluster.server.contains("://") {
        cluster.server.clone()
    } else if speaks_tls {
        format!("https://{}", cluster.server)
    } else {
        format!("http://{}", cluster.server)
    };
    let end = whole.find(['?', '#']).unwrap_or(whole.len());
    let url: http::Uri = whole[..end]
        .parse()
        .map_err(|_| place.error("server", "it is no URL"))?;
    match url.scheme_str() {
        Some("https" | "http") if url.host().is_some_and(|host| !host.is_empty()) => Ok(url),
        _ => Err(place.error("server", "it is no http or https URL")),
    }
}

fn proxy_url(
    place: &Place<'_>,
    cluster: &Cluster,
    server: &http::Uri,
    environment: &proxy::Environment,
) -> Result<Option<http::Uri>, KubeconfigError> {
    if cluster.proxy_url.is_empty() {
        Ok(environment.proxy_for(server))
    } else {
        proxy::parse(&cluster.proxy_url)
            .map(Some)
            .ok_or_else(|| place.error("proxy-url", "it is no http, https or socks5 URL"))
    }
}

/// The certificates of a PEM text, DER; nothing where there is none or one cannot be read.
fn certificates(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem)
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

/// A certificate as PEM again: what is passed on holds nothing but certificates, whatever else the
/// file that they came from holds.
fn to_pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|start| &text[start..text.len().min(start + 64)])
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

async fn credentials(
    place: &Place<'_>,
    user: &Named<User>,
    cluster: &Named<Cluster>,
    authority_pem: &str,
) -> Result<AuthInfo, KubeconfigError> {
    let user = &user.value;
    let mut info = AuthInfo::default();
    let basic = !user.username.is_empty() || !user.password.is_empty();
    if basic && !user.token.is_empty() {
        return Err(place.error(
            "token",
            "a user name and password are given as well; leave one out",
        ));
    }
    if basic {
        info.username = Some(user.username.clone());
        info.password = Some(user.password.clone().into());
    }
    info.token = token(place, user).await?.map(Into::into);
    client_certificate(place, user, &mut info).await?;
    if let Some(exec) = &user.exec {
        if user.auth_provider.is_some() {
            return Err(place.error("auth-provider", "`exec` is given as well; leave one out"));
        }
        info.exec = Some(plugin(place, exec, &cluster.value, authority_pem)?);
    }
    if let Some(provider) = &user.auth_provider {
        info.auth_provider = Some(auth_provider(place, provider)?);
    }
    Ok(info)
}

/// The file's token before the text's, as kubectl: the text is what it falls back on.
async fn token(place: &Place<'_>, user: &User) -> Result<Option<String>, KubeconfigError> {
    if user.token_file.is_empty() {
        return Ok(nonempty(&user.token));
    }
    let read = place.read("tokenFile", &user.token_file).await.and_then(|bytes| {
        let token = String::from_utf8(bytes).unwrap_or_default().trim().to_owned();
        if token.is_empty() {
            Err(place.error("tokenFile", "the file holds no token"))
        } else {
            Ok(token)
        }
    });
    match read {
        Ok(token) => Ok(Some(token)),
        Err(_) if !user.token.is_empty() => Ok(Some(user.token.clone())),
        Err(error) => Err(error),
    }
}

async fn client_certificate(
    place: &Place<'_>,
    user: &User,
    info: &mut AuthInfo,
) -> Result<(), KubeconfigError> {
    let certificate = place
        .bytes(
            "client-certificate",
            &user.client_certificate,
            &user.client_certificate_data,
        )
        .await?;
    // A key without a certificate is passed over, as by kubectl.
    let Some(certificate) = certificate else {
        return Ok(());
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
    if certificates(&certificate).is_none() {
        return Err(place.error("client-certificate", "it holds no certificate in PEM"));
    }
    if PrivateKeyDer::from_pem_slice(&key).is_err() {
        return Err(place.error(
            "client-key",
            "it holds no private key in PEM that can be used (encrypted ones cannot)",
        ));
    }
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    info.client_certificate_data = Some(encode(&certificate));
    info.client_key_data = Some(encode(&key).into());
    Ok(())
}

fn plugin(
    place: &Place<'_>,
    exec: &Exec,
    cluster: &Cluster,
    authority_pem: &str,
) -> Result<ExecConfig, KubeconfigError> {
    if exec.command.is_empty() {
        return Err(place.error("exec.command", "it is not given"));
    }
    let interactive_mode = match (exec.interactive_mode.as_str(), exec.api_version.as_str()) {
        ("Never", _) => ExecInteractiveMode::Never,
        ("Always", _) => ExecInteractiveMode::Always,
        ("IfAvailable", _) | ("", "client.authentication.k8s.io/v1beta1") => ExecInteractiveMode::IfAvailable,
        ("", _) => {
            return Err(place.error(
                "exec.interactiveMode",
                "it is not given (Never, IfAvailable, Always)",
            ));
        }
        _ => {
            return Err(place.error("exec.interactiveMode", "it is not Never, IfAvailable or Always"));
        }
    };
    if ![
        "client.authentication.k8s.io/v1",
        "client.authentication.k8s.io/v1beta1",
    ]
    .contains(&exec.api_version.as_str())
    {
        return Err(place.error(
            "exec.apiVersion",
            "it is not client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1",
        ));
    }
    if exec.env.iter().any(|variable| variable.name.is_empty()) {
        return Err(place.error("exec.env", "a variable has no name"));
    }
    let command = if exec.command.contains(std::path::MAIN_SEPARATOR) {
        place.resolve(&exec.command).to_string_lossy().into_owned()
    } else {
        exec.command.clone()
    };
    let variable = |name: &str, value: &str| {
        [("name", name), ("value", value)]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    };
    let environment = exec.env.iter().map(|entry| variable(&entry.name, &entry.value));
    let mut config = ExecConfig::default();
    config.api_version = Some(exec.api_version.clone());
    config.command = Some(command);
    config.args = Some(exec.args.clone());
    config.env = Some(environment.collect());
    config.install_hint = nonempty(&exec.install_hint);
    config.interactive_mode = Some(interactive_mode);
    config.provide_cluster_info = exec.provide_cluster_info;
    config.cluster = exec.provide_cluster_info.then(|| ExecAuthCluster {
        server: Some(cluster.server.clone()),
        insecure_skip_tls_verify: cluster.insecure_skip_tls_verify.then_some(true),
        certificate_authority_data: (!authority_pem.is_empty()).then(|| authority_pem.as_bytes().to_vec()),
        proxy_url: nonempty(&cluster.proxy_url),
        tls_server_name: nonempty(&cluster.tls_server_name),
        config: cluster
            .extensions
            .iter()
            .find(|extension| extension.name == PLUGIN_EXTENSION)
            .map(|extension| extension.extension.clone()),
    });
    Ok(config)
}

fn auth_provider(place: &Place<'_>, provider: &AuthProvider) -> Result<AuthProviderConfig, KubeconfigError> {
    if provider.name != "oidc" {
        return Err(place.error(
            "auth-provider.name",
            "only `oidc` is known; other providers have credential plugins (`exec`) now",
        ));
    }
    let mut config = AuthProviderConfig::default();
    config.name.clone_from(&provider.name);
    config.config = provider
        .config
        .iter()
        .map(|(key, value)| (key.clone(), value.clone().into()))
        .collect();
    if !config.config.contains_key("id-token") {
        return Err(place.error("auth-provider.config.id-token", "it is not given"));
    }
    Ok(config)
}

fn impersonate(
    place: &Place<'_>,
    user: &User,
    options: &ConnectionOptions,
    info: &mut AuthInfo,
) -> Result<(), KubeconfigError> {
    info.impersonate = options
        .impersonate
        .clone()
        .or_else(|| nonempty(&user.impersonate));
    let groups = if options.impersonate_groups.is_empty() {
        &user.impersonate_groups
    } else {
        &options.impersonate_groups
    };
    let others = !groups.is_empty() || !user.impersonate_uid.is_empty() || !user.impersonate_extra.is_empty();
    if info.impersonate.is_none() {
        return if others {
            Err(place.error(
                "as",
                "groups, a UID or more are to be acted as, and no user is given",
            ))
        } else {
            Ok(())
        };
    }
    info.impersonate_groups = (!groups.is_empty()).then(|| groups.clone());
    info.impersonate_uid = nonempty(&user.impersonate_uid);
    info.impersonate_user_extra =
        (!user.impersonate_extra.is_empty()).then(|| user.impersonate_extra.clone().into_iter().collect());
    Ok(())
}

fn nonempty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
