//! From Secrets to facts about them: the border behind which no key and no token is known.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use super::public::certificates_only;
use crate::host::sensitive::{Sensitive, shown_url};
use crate::inventory::credential::CredentialKind;
use crate::inventory::{
    AuthoritySecret, ClusterInventory, Object, RemoteSecret, RemoteSecretEntry, TokenSecret,
};
use crate::link::secret::CONFIGURATION_SECRET;
use crate::trust::certificate::fingerprint;
use crate::yaml;

/// The label by which istiod finds remote secrets, in its own namespace (Istio:
/// `pkg/kube/multicluster/secretcontroller.go`).
const REMOTE_SECRET_LABEL: &str = "istio/multiCluster";
/// What hides a value.
const REDACTED: &str = "<redacted>";

/// A Secret's fields (Kubernetes: `core/v1.Secret`).
const FIELDS: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata",
    "type",
    "immutable",
    "data",
    "stringData",
];
/// Fields of its metadata (Kubernetes: `meta/v1.ObjectMeta`).
const METADATA: [&str; 13] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];
/// Annotations that say whose an object is, by how they begin; they hold no secret.
const ANNOTATIONS: [&str; 6] = [
    "stolos.dev/",
    "meta.helm.sh/",
    "argocd.argoproj.io/tracking-id",
    "applyset.kubernetes.io/",
    "networking.istio.io/",
    "kubernetes.io/service-account.",
];

/// Tokens by their fingerprints (lower-case hex SHA-256): a token that many clusters hold is held
/// here once.
pub type Tokens = BTreeMap<String, Sensitive>;

/// Puts what is known of a Secret into the inventory, and its tokens, for reviews, into `tokens`.
pub fn sort_in(secret: Object, inventory: &mut ClusterInventory, tokens: &mut Tokens) {
    let data = decoded(&secret);
    if secret.label(REMOTE_SECRET_LABEL) == Some("true") {
        inventory
            .remote_secrets
            .push(remote_secret(&secret, &data, tokens));
    }
    if secret.name() == CONFIGURATION_SECRET {
        let remote = remote_secret(&secret, &data, tokens);
        inventory.istiod_kubeconfigs.push(remote);
    }
    if secret.text(&["type"]) == "kubernetes.io/service-account-token" {
        inventory.token_secrets.push(TokenSecret {
            namespace: secret.namespace().to_owned(),
            name: secret.name().to_owned(),
            service_account: secret
                .annotation("kubernetes.io/service-account.name")
                .unwrap_or_default()
                .to_owned(),
            token_sha256: data
                .get("token")
                .map(|token| fingerprint(token))
                .unwrap_or_default(),
            authority: text(&data, "ca.crt"),
        });
    }
    if matches!(secret.name(), "cacerts" | "istio-ca-secret") {
        inventory.authorities.push(authority(&secret, &data));
    }
    inventory.objects.push(without_data(secret));
}

fn decoded(secret: &Object) -> BTreeMap<String, Vec<u8>> {
    let Some(Value::Object(data)) = secret.at(&["data"]) else {
        return BTreeMap::new();
    };
    data.iter()
        .filter(|(key, _)| is_key(key))
        .filter_map(|(key, value)| Some((key.clone(), STANDARD.decode(value.as_str()?).ok()?)))
        .collect()
}

/// Whether a text can be a key of a Secret's data (Kubernetes: `IsConfigMapKey`). An API server
/// stores no other: one that comes from somewhere may be a value.
fn is_key(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=253).contains(&text.len()) && text.bytes().all(is_part)
}

/// The certificates under a key.
fn text(data: &BTreeMap<String, Vec<u8>>, key: &str) -> String {
    data.get(key)
        .map(|bytes| certificates_only(&String::from_utf8_lossy(bytes)))
        .unwrap_or_default()
}

/// The Secret as an object that can be shown: the keys stay, the values go, and with them whatever
/// is no field of a Secret, and annotations of others, in which tools such as `kubectl apply` keep the
/// whole object a second time.
pub(super) fn without_data(mut secret: Object) -> Object {
    for field in ["data", "stringData"] {
        match secret.0.get_mut(field) {
            Some(Value::Object(data)) => {
                data.retain(|key, _| is_key(key));
                data.values_mut().for_each(|value| *value = REDACTED.into());
            }
            None | Some(Value::Null) => {}
            Some(other) => *other = REDACTED.into(),
        }
    }
    if let Value::Object(fields) = &mut secret.0 {
        fields.retain(|field, _| FIELDS.contains(&field.as_str()));
    }
    match secret.0.get_mut("metadata") {
        Some(Value::Object(metadata)) => metadata.retain(|field, _| METADATA.contains(&field.as_str())),
        None => {}
        Some(other) => *other = Value::Null,
    }
    if let Some(annotations) = secret.0.pointer_mut("/metadata/annotations") {
        match annotations {
            Value::Object(annotations) => {
                for (key, value) in annotations {
                    if !ANNOTATIONS.iter().any(|known| key.starts_with(known)) {
                        *value = REDACTED.into();
                    }
                }
            }
            other => *other = Value::Null,
        }
    }
    secret
}

fn owned<'object>(object: &'object Object, key: &str) -> &'object str {
    object.label(key).unwrap_or_default()
}

fn managers(object: &Object) -> Vec<String> {
    object.managers().into_iter().map(str::to_owned).collect()
}

fn remote_secret(secret: &Object, data: &BTreeMap<String, Vec<u8>>, tokens: &mut Tokens) -> RemoteSecret {
    let entries = data
        .iter()
        .map(|(key, kubeconfig)| {
            let (mut entry, token) = kubeconfig_facts(kubeconfig);
            entry.cluster_id.clone_from(key);
            if let Some(token) = token {
                tokens.insert(entry.token_sha256.clone(), token);
            }
            entry
        })
        .collect();
    RemoteSecret {
        namespace: secret.namespace().to_owned(),
        name: secret.name().to_owned(),
        created_at: secret.text(&["metadata", "creationTimestamp"]).to_owned(),
        written_at: {
            let entries = secret.list(&["metadata", "managedFields"]).iter();
            let times = entries.filter_map(|entry| entry["time"].as_str());
            times.max().unwrap_or_default().to_owned()
        },
        managed_by_stolos: owned(secret, "app.kubernetes.io/managed-by") == "stolos",
        fleet: owned(secret, "stolos.dev/fleet").to_owned(),
        managers: managers(secret),
        credential_in_annotation: secret
            .annotation("kubectl.kubernetes.io/last-applied-configuration")
            .is_some_and(|applied| {
                applied.contains("token")
                    || applied.contains("client-key-data")
                    || applied.contains("\"data\"")
            }),
        entries,
    }
}

/// What a kubeconfig in a remote secret says, as istiod will read it, and its token. Kinds of
/// credential that istiod refuses are Istio's `sanitizeKubeConfig` (`pkg/kube/util.go`).
pub fn kubeconfig_facts(kubeconfig: &[u8]) -> (RemoteSecretEntry, Option<Sensitive>) {
    let mut entry = RemoteSecretEntry {
        sha256: fingerprint(kubeconfig),
        ..RemoteSecretEntry::default()
    };
    let parsed = std::str::from_utf8(kubeconfig)
        .ok()
        .and_then(|text| yaml::from_str::<Value>(text).ok())
        .filter(Value::is_object);
    let Some(config) = parsed else {
        entry.problem = "it is not a kubeconfig".to_owned();
        return (entry, None);
    };
    let named = |list: &str, name: &str| {
        let items = config[list].as_array()?;
        items.iter().find(|item| item["name"] == name)
    };
    let current = config["current-context"].as_str().unwrap_or_default();
    let Some(context) = named("contexts", current).map(|item| &item["context"]) else {
        entry.problem = "its current-context names no context in it".to_owned();
        return (entry, None);
    };
    let cluster = context["cluster"]
        .as_str()
        .and_then(|name| named("clusters", name));
    let Some(cluster) = cluster.map(|item| &item["cluster"]) else {
        entry.problem = "its context names no cluster in it".to_owned();
        return (entry, None);
    };
    let server = cluster["server"].as_str().unwrap_or_default();
    entry.server = shown_url(server);
    cluster["tls-server-name"]
        .as_str()
        .unwrap_or_default()
        .clone_into(&mut entry.tls_server_name);
    entry.authority = cluster["certificate-authority-data"]
        .as_str()
        .and_then(|data| STANDARD.decode(data.trim()).ok())
        .map(|pem| certificates_only(&String::from_utf8_lossy(&pem)))
        .unwrap_or_default();
    if entry.server.is_empty() {
        let problem = if server.is_empty() {
            "it names no server"
        } else {
            "its server is no URL"
        };
        problem.clone_into(&mut entry.problem);
    }
    let user = context["user"].as_str().and_then(|name| named("users", name));
    let user = user.map_or(&Value::Null, |item| &item["user"]);
    for (field, refused) in [
        ("exec", "a credential plugin, which istiod refuses"),
        ("tokenFile", "a token file, which istiod refuses"),
        ("client-certificate", "a certificate file, which istiod refuses"),
        ("client-key", "a key file, which istiod refuses"),
    ] {
        if user[field].as_str().is_some_and(|text| !text.is_empty()) || user[field].is_object() {
            entry.problem = format!("it holds {refused}");
        }
    }
    if user["auth-provider"].is_object() && user["auth-provider"]["name"] != "oidc" {
        entry.problem = "it holds an auth provider that istiod refuses".to_owned();
    }
    let token = user["token"]
        .as_str()
        .map(str::trim)
        .filter(|token| !token.is_empty());
    if let Some(token) = token {
        entry.token_sha256 = fingerprint(token.as_bytes());
        let claims = claims(token);
        claims["sub"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut entry.claimed_subject);
        entry.kind = match claims["exp"].as_i64() {
            Some(end) => {
                entry.expires_at = jiff::Timestamp::from_second(end)
                    .map(|end| end.to_string())
                    .unwrap_or_default();
                CredentialKind::BoundToken
            }
            None if entry.claimed_subject.starts_with("system:serviceaccount:") => {
                CredentialKind::TokenSecret
            }
            None => CredentialKind::Other,
        };
    } else if user["client-certificate-data"].is_string() {
        entry.kind = CredentialKind::ClientCertificate;
        entry.expires_at = user["client-certificate-data"]
            .as_str()
            .and_then(|data| STANDARD.decode(data.trim()).ok())
            .and_then(|pem| certificate_end(&pem))
            .unwrap_or_default();
    } else if entry.problem.is_empty() {
        entry.problem = "it holds no credential".to_owned();
    }
    (entry, token.map(Sensitive::new))
}

/// A JWT's claims, unverified (RFC 7519 §3); `null` where it is none.
fn claims(token: &str) -> Value {
    token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or(Value::Null)
}

fn certificate_end(pem: &[u8]) -> Option<String> {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem).ok()?;
    let end = block.parse_x509().ok()?.validity().not_after.timestamp();
    Some(jiff::Timestamp::from_second(end).ok()?.to_string())
}

fn authority(secret: &Object, data: &BTreeMap<String, Vec<u8>>) -> AuthoritySecret {
    // The TLS form is checked first by istiod (Istio: `security/pkg/pki/ca/ca.go`).
    let tls_form = data.contains_key("tls.crt");
    let (certificate, key, roots) = if tls_form {
        ("tls.crt", "tls.key", "ca.crt")
    } else {
        ("ca-cert.pem", "ca-key.pem", "root-cert.pem")
    };
    let chain = if tls_form {
        text(data, "tls.crt") + &text(data, "ca.crt")
    } else {
        text(data, "cert-chain.pem")
    };
    AuthoritySecret {
        namespace: secret.namespace().to_owned(),
        name: secret.name().to_owned(),
        created_at: secret.text(&["metadata", "creationTimestamp"]).to_owned(),
        written_at: {
            let entries = secret.list(&["metadata", "managedFields"]).iter();
            let times = entries.filter_map(|entry| entry["time"].as_str());
            times.max().unwrap_or_default().to_owned()
        },
        managed_by_stolos: owned(secret, "app.kubernetes.io/managed-by") == "stolos",
        fleet: owned(secret, "stolos.dev/fleet").to_owned(),
        managers: managers(secret),
        keys: data.keys().cloned().collect(),
        signing_certificate: text(data, certificate),
        chain,
        // A self-signed istiod keeps its root as the signing certificate alone.
        roots: match text(data, roots) {
            roots if roots.is_empty() && secret.name() == "istio-ca-secret" => text(data, certificate),
            roots => roots,
        },
        key_matches: data
            .get(key)
            .zip(data.get(certificate))
            .and_then(|(key, certificate)| key_matches(key, certificate)),
    }
}

/// Whether a private key belongs to a certificate; `None` where either cannot be read.
fn key_matches(key: &[u8], certificate: &[u8]) -> Option<bool> {
    let (_, block) = x509_parser::pem::parse_x509_pem(certificate).ok()?;
    let certificate = block.parse_x509().ok()?;
    let key = PrivateKeyDer::from_pem_slice(key).ok()?;
    let key = rustls::crypto::ring::sign::any_supported_type(&key).ok()?;
    Some(key.public_key()?.as_ref() == certificate.public_key().raw)
}
