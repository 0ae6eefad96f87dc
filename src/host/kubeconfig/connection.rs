//! From one context to how its cluster is reached (client-go `tools/clientcmd/client_config.go` and
//! `validation.go`, `rest/url_utils.go`, `transport/`). Nothing is dialled and no plugin is run.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;

use super::entry::{Entry, Lines};
use super::file::{Cluster, User};
use super::{KubeconfigError, Kubeconfigs, pem, proxy, user};
use crate::connection::credential::{Bearer, Source};
use crate::connection::endpoint::{Authority, Endpoint};
use crate::host::sensitive::{Sensitive, shown_url};

/// How a connection is to be made, beyond what the kubeconfig says.
#[derive(Debug, Clone, Default)]
pub struct ConnectionOptions {
    /// Act as this user, whatever the kubeconfig says.
    pub impersonate: Option<String>,
    /// Act as a member of these groups.
    pub impersonate_groups: Vec<String>,
}

/// How a context's cluster is reached. It holds credentials, so it is not `Debug`.
#[derive(Clone)]
pub struct Connection {
    /// Where the API server is, and what proves that it is the one that is meant.
    pub endpoint: Endpoint,
    /// What is shown to it.
    pub source: Source,
    /// The headers that say as whom to act (`Impersonate-User` and its like).
    pub impersonation: HeaderMap,
    /// The API server's URL, without credentials.
    pub server: String,
    /// The API server's authority as PEM, public; empty where the machine's own roots decide.
    pub authority_pem: String,
    /// The name that the server's certificate must bear, where the kubeconfig gives one.
    pub tls_server_name: String,
    /// The context's namespace, `default` where it names none.
    pub namespace: String,
}

/// Where a part of the kubeconfig stands, for errors.
pub(super) struct Place<'kubeconfigs> {
    context: &'kubeconfigs str,
    file: &'kubeconfigs Path,
    entry: Entry<'kubeconfigs>,
    lines: &'kubeconfigs Lines,
}

impl Place<'_> {
    pub(super) fn error(&self, field: &str, problem: impl Into<String>) -> KubeconfigError {
        KubeconfigError::Unusable {
            context: self.context.to_owned(),
            file: self.file.to_owned(),
            line: self.lines.of(self.file, &self.entry, field),
            field: if field.is_empty() {
                self.entry.to_string()
            } else {
                format!("{}.{field}", self.entry)
            },
            problem: problem.into(),
        }
    }

    /// A path in the kubeconfig starts at the folder that the kubeconfig is in.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    /// The bytes that either lie in the kubeconfig (base64) or in a file that it names; nothing
    /// where neither is given. Both at once is refused, as by kubectl.
    pub(super) async fn bytes(
        &self,
        field: &str,
        file: &str,
        data: &str,
    ) -> Result<Option<Vec<u8>>, KubeconfigError> {
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
        // The path is not repeated: a key or a token may have been pasted where its file belongs.
        tokio::fs::read(self.resolve(file))
            .await
            .map_err(|error| self.error(field, format!("the file that it names cannot be read: {error}")))
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
        entry: Entry::new("contexts", context_name, "context"),
        lines: &kubeconfigs.lines,
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
        entry: Entry::new("clusters", &cluster.name, "cluster"),
        file: &kubeconfigs.files[cluster.file],
        ..place
    };
    let user_place = Place {
        entry: Entry::new("users", &user.name, "user"),
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
    let server = server_url(&cluster_place, &cluster.value)?;
    let mut endpoint = Endpoint {
        proxy: proxy_url(&cluster_place, &cluster.value, &server.url, environment)?,
        url: server.url,
        authority: Authority::Machine,
        tls_server_name: cluster.value.tls_server_name.clone(),
    };
    let mut authority_pem = String::new();
    if let Some(bytes) = &authority {
        if cluster.value.insecure_skip_tls_verify {
            return Err(cluster_place.error(
                "insecure-skip-tls-verify",
                "an authority is given as well; leave one out",
            ));
        }
        let certificates = pem::certificates(bytes);
        if certificates.is_empty() {
            return Err(cluster_place.error("certificate-authority", "it holds no certificate in PEM"));
        }
        authority_pem = certificates.iter().map(|der| pem::of_certificate(der)).collect();
        endpoint.authority = Authority::Certificates(certificates);
    } else if cluster.value.insecure_skip_tls_verify {
        endpoint.authority = Authority::Unchecked;
    }
    // As kubectl: credentials never go over a connection without TLS.
    let mut source = Source::default();
    if endpoint.url.scheme_str() == Some("https") {
        let authority = authority.unwrap_or_default();
        source = user::source(&user_place, &user.value, &cluster.value, authority).await?;
        // As Go's client: what stands in the URL goes before all else.
        if let Some((username, password)) = server.user {
            source.bearer = Bearer::Basic { username, password };
        }
    }
    Ok(Connection {
        impersonation: impersonation(&user_place, &user.value, options)?,
        source,
        server: shown_url(&cluster.value.server),
        authority_pem,
        tls_server_name: endpoint.tls_server_name.clone(),
        endpoint,
        namespace: match context.value.namespace.as_str() {
            "" => "default".to_owned(),
            namespace => namespace.to_owned(),
        },
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
fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url
        .split_once("://")
        .map_or(("", url), |(scheme, rest)| (scheme, rest));
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host_start = rest[..authority_end].rfind('@').map_or(0, |at| at + 1);
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{separator}{}", &rest[host_start..])
}

/// An API server's URL, and the user and password that stood in it.
struct Server {
    url: Uri,
    user: Option<(String, Sensitive)>,
}

/// The URL of a cluster. Without a scheme it is `http`: kubectl decides so before it looks at what
/// the kubeconfig says of TLS, and then leaves that aside (client-go `ClientConfig` and
/// `rest.DefaultServerURL`; seen with kubectl 1.36).
fn server_url(place: &Place<'_>, cluster: &Cluster) -> Result<Server, KubeconfigError> {
    if cluster.server.is_empty() {
        return Err(place.error("server", "it is not given"));
    }
    let whole = if cluster.server.contains("://") {
        cluster.server.clone()
    } else {
        format!("http://{}", cluster.server)
    };
    let end = whole.find(['?', '#']).unwrap_or(whole.len());
    let url: Uri = without_credentials(&whole[..end])
        .parse()
        .map_err(|_| place.error("server", "it is no URL"))?;
    match url.scheme_str() {
        Some("https" | "http") if url.host().is_some_and(|host| !host.is_empty()) => Ok(Server {
            user: user_in(&whole[..end]),
            url,
        }),
        _ => Err(place.error("server", "it is no http or https URL")),
    }
}

/// The user and the password in a URL (RFC 3986, section 3.2.1).
fn user_in(url: &str) -> Option<(String, Sensitive)> {
    let (_, rest) = url.split_once("://")?;
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decoded(name), Sensitive::new(decoded(password))))
}

fn proxy_url(
    place: &Place<'_>,
    cluster: &Cluster,
    server: &Uri,
    environment: &proxy::Environment,
) -> Result<Option<Uri>, KubeconfigError> {
    if cluster.proxy_url.is_empty() {
        Ok(environment.proxy_for(server))
    } else {
        proxy::parse(&cluster.proxy_url)
            .map(Some)
            .ok_or_else(|| place.error("proxy-url", "it is no http, https or socks5 URL"))
    }
}

/// The headers that say as whom to act (client-go `transport.NewImpersonatingRoundTripper`). They go
/// over plain http as well: they prove nothing.
fn impersonation(
    place: &Place<'_>,
    user: &User,
    options: &ConnectionOptions,
) -> Result<HeaderMap, KubeconfigError> {
    let name = options.impersonate.as_ref().unwrap_or(&user.impersonate);
    let groups = if options.impersonate_groups.is_empty() {
        &user.impersonate_groups
    } else {
        &options.impersonate_groups
    };
    let others = !groups.is_empty() || !user.impersonate_uid.is_empty() || !user.impersonate_extra.is_empty();
    let mut headers = HeaderMap::new();
    if name.is_empty() {
        return if others {
            Err(place.error(
                "as",
                "groups, a UID or more are to be acted as, and no user is given",
            ))
        } else {
            Ok(headers)
        };
    }
    let value = |field: &str, text: &str| {
        HeaderValue::from_str(text)
            .map_err(|_| place.error(field, "it holds characters that cannot be sent in a header"))
    };
    headers.insert("impersonate-user", value("as", name)?);
    if !user.impersonate_uid.is_empty() {
        headers.insert("impersonate-uid", value("as-uid", &user.impersonate_uid)?);
    }
    for group in groups {
        headers.append("impersonate-group", value("as-groups", group)?);
    }
    for (key, values) in &user.impersonate_extra {
        let header = format!("impersonate-extra-{}", escaped_key(key));
        let header = HeaderName::from_bytes(header.as_bytes())
            .map_err(|_| place.error("as-user-extra", "a key cannot be sent in a header"))?;
        for text in values {
            headers.append(header.clone(), value("as-user-extra", text)?);
        }
    }
    Ok(headers)
}

/// A key as it stands in a header's name: what may not stand there, and `%`, is percent-encoded
/// (client-go `transport.headerKeyEscape`). The API server takes keys in lower case.
fn escaped_key(key: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte) {
            escaped.push(char::from(byte.to_ascii_lowercase()));
        } else {
            // Writing to a text does not fail.
            let _ = write!(escaped, "%{byte:02x}");
        }
    }
    escaped
}
