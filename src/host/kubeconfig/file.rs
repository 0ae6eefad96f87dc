//! One kubeconfig file: its shape (client-go `tools/clientcmd/api/v1/types.go`) and what kubectl
//! refuses in it. Unknown fields are ignored, as kubectl ignores them; texts must be texts.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;

use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, de};

use super::KubeconfigError;
use crate::yaml;

/// A text that was written as one: a number or a truth value is refused, as by kubectl. It may be
/// a secret, so it is not `Debug`.
#[derive(Clone, Default)]
pub(super) struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Text;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Text, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// Absent and empty are the same in a kubeconfig.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Text::deserialize(deserializer).map(String::from)
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts: Option<Vec<Text>> = Option::deserialize(deserializer)?;
    Ok(texts.unwrap_or_default().into_iter().map(String::from).collect())
}

fn nullable<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn text_lists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let lists: Option<BTreeMap<String, Vec<Text>>> = Option::deserialize(deserializer)?;
    Ok(lists
        .unwrap_or_default()
        .into_iter()
        .map(|(key, texts)| (key, texts.into_iter().map(String::from).collect()))
        .collect())
}

/// A truth value in the words of YAML 1.1, which kubectl reads: `yes` and `on` are true.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct TruthVisitor;
    impl Visitor<'_> for TruthVisitor {
        type Value = bool;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a truth value")
        }
        fn visit_bool<E: de::Error>(self, truth: bool) -> Result<bool, E> {
            Ok(truth)
        }
        fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
            Ok(false)
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
            match text.to_ascii_lowercase().as_str() {
                "yes" | "y" | "on" => Ok(true),
                "no" | "n" | "off" => Ok(false),
                _ => Err(E::invalid_type(de::Unexpected::Other("another text"), &self)),
            }
        }
    }
    deserializer.deserialize_any(TruthVisitor)
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Document {
    #[serde(deserialize_with = "text")]
    kind: String,
    #[serde(rename = "apiVersion", deserialize_with = "text")]
    api_version: String,
    #[serde(rename = "current-context", deserialize_with = "text")]
    current_context: String,
    #[serde(deserialize_with = "nullable")]
    contexts: Vec<NamedContext>,
    #[serde(deserialize_with = "nullable")]
    clusters: Vec<NamedCluster>,
    #[serde(deserialize_with = "nullable")]
    users: Vec<NamedUser>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NamedContext {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    context: Context,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NamedCluster {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    cluster: Cluster,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NamedUser {
    #[serde(deserialize_with = "text")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    user: User,
}

/// `contexts[].context`
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Context {
    #[serde(deserialize_with = "text")]
    pub cluster: String,
    #[serde(deserialize_with = "text")]
    pub user: String,
    #[serde(deserialize_with = "text")]
    pub namespace: String,
}

/// `clusters[].cluster`
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Cluster {
    #[serde(deserialize_with = "text")]
    pub server: String,
    #[serde(deserialize_with = "text")]
    pub tls_server_name: String,
    #[serde(deserialize_with = "truth")]
    pub insecure_skip_tls_verify: bool,
    #[serde(deserialize_with = "text")]
    pub certificate_authority: String,
    #[serde(deserialize_with = "text")]
    pub certificate_authority_data: String,
    #[serde(deserialize_with = "text")]
    pub proxy_url: String,
    #[serde(deserialize_with = "truth")]
    pub disable_compression: bool,
    #[serde(deserialize_with = "nullable")]
    pub extensions: Vec<Extension>,
}

/// `clusters[].cluster.extensions[]`: read for what a credential plugin is to be told.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Extension {
    #[serde(deserialize_with = "text")]
    pub name: String,
    pub extension: serde_json::Value,
}

/// `users[].user`
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct User {
    #[serde(deserialize_with = "text")]
    pub client_certificate: String,
    #[serde(deserialize_with = "text")]
    pub client_certificate_data: String,
    #[serde(deserialize_with = "text")]
    pub client_key: String,
    #[serde(deserialize_with = "text")]
    pub client_key_data: String,
    #[serde(deserialize_with = "text")]
    pub token: String,
    #[serde(rename = "tokenFile", deserialize_with = "text")]
    pub token_file: String,
    #[serde(rename = "as", deserialize_with = "text")]
    pub impersonate: String,
    #[serde(rename = "as-uid", deserialize_with = "text")]
    pub impersonate_uid: String,
    #[serde(rename = "as-groups", deserialize_with = "texts")]
    pub impersonate_groups: Vec<String>,
    #[serde(rename = "as-user-extra", deserialize_with = "text_lists")]
    pub impersonate_extra: BTreeMap<String, Vec<String>>,
    #[serde(deserialize_with = "text")]
    pub username: String,
    #[serde(deserialize_with = "text")]
    pub password: String,
    pub auth_provider: Option<AuthProvider>,
    pub exec: Option<Exec>,
}

/// `users[].user.auth-provider`
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AuthProvider {
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub config: BTreeMap<String, Text>,
}

/// `users[].user.exec`
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Exec {
    #[serde(deserialize_with = "text")]
    pub command: String,
    #[serde(deserialize_with = "texts")]
    pub args: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub env: Vec<ExecVariable>,
    #[serde(deserialize_with = "text")]
    pub api_version: String,
    #[serde(deserialize_with = "text")]
    pub install_hint: String,
    #[serde(deserialize_with = "truth")]
    pub provide_cluster_info: bool,
    #[serde(deserialize_with = "text")]
    pub interactive_mode: String,
}

/// `users[].user.exec.env[]`
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ExecVariable {
    #[serde(deserialize_with = "text")]
    pub name: String,
    #[serde(deserialize_with = "text")]
    pub value: String,
}

/// What one file holds.
pub(super) struct Content {
    pub current_context: String,
    pub contexts: Vec<(String, Context)>,
    pub clusters: Vec<(String, Cluster)>,
    pub users: Vec<(String, User)>,
}

/// Reads a file's bytes: its first document, as kubectl does.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Content, KubeconfigError> {
    let content = |problem: &str| KubeconfigError::Content {
        file: path.to_owned(),
        problem: problem.to_owned(),
    };
    let text = decode(bytes).ok_or_else(|| content("it is not text in UTF-8 or UTF-16"))?;
    let document: Document = yaml::first_document(&text)
        .map_err(|problem| KubeconfigError::Shape {
            file: path.to_owned(),
            problem,
        })?
        .unwrap_or_default();
    if !["", "Config"].contains(&document.kind.as_str()) {
        return Err(content("`kind` is not `Config`"));
    }
    if !["", "v1"].contains(&document.api_version.as_str()) {
        return Err(content("`apiVersion` is not `v1`"));
    }
    let contexts = document
        .contexts
        .into_iter()
        .map(|entry| (entry.name, entry.context));
    let clusters = document
        .clusters
        .into_iter()
        .map(|entry| (entry.name, entry.cluster));
    let users = document.users.into_iter().map(|entry| (entry.name, entry.user));
    Ok(Content {
        current_context: document.current_context,
        contexts: each_once(path, "contexts", contexts)?,
        clusters: each_once(path, "clusters", clusters)?,
        users: each_once(path, "users", users)?,
    })
}

fn each_once<T>(
    path: &Path,
    list: &str,
    entries: impl Iterator<Item = (String, T)>,
) -> Result<Vec<(String, T)>, KubeconfigError> {
    let mut seen = HashSet::new();
    entries
        .map(|(name, value)| {
            if seen.insert(name.clone()) {
                Ok((name, value))
            } else {
                Err(KubeconfigError::Content {
                    file: path.to_owned(),
                    problem: format!("`{list}` has two entries named {name:?}"),
                })
            }
        })
        .collect()
}

/// Text in UTF-8, or in UTF-16 with its byte order mark, as YAML allows it (YAML 1.2.2 §5.2).
fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, odd) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        odd.is_empty().then(|| String::from_utf16(&units).ok())?
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    }
}
