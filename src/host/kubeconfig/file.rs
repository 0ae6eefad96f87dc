//! One kubeconfig file: its shape (client-go `tools/clientcmd/api/v1`, `types.go` and `conversion.go`)
//! and what kubectl refuses in it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::KubeconfigError;
use super::decode::{Fields, Node, text};
use crate::yaml::YamlError;
use crate::yaml::go_yaml::{self, Kind};

/// A value as JSON. It may hold a secret, so it is not `Debug`.
#[derive(Clone)]
pub(super) struct Json(pub String);

impl Json {
    /// The value; null where it is nested more deeply than anybody reads.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    fn is_null(&self) -> bool {
        self.0 == "null"
    }
}

/// `preferences`, which nothing uses.
#[derive(Default)]
pub(super) struct Preferences {
    pub colors: bool,
    pub extensions: Vec<Extension>,
}

/// `contexts[].context`
#[derive(Default)]
pub(super) struct Context {
    pub cluster: String,
    pub user: String,
    pub namespace: String,
    pub extensions: Vec<Extension>,
}

/// `clusters[].cluster`
#[derive(Default)]
pub(super) struct Cluster {
    pub server: String,
    pub tls_server_name: String,
    pub insecure_skip_tls_verify: bool,
    pub certificate_authority: String,
    /// Base64, on one line.
    pub certificate_authority_data: String,
    pub proxy_url: String,
    pub disable_compression: bool,
    pub extensions: Vec<Extension>,
}

/// `extensions[]`, by name: kept, and read for what a credential plugin is to be told.
pub(super) struct Extension {
    pub name: String,
    pub extension: Json,
}

/// `users[].user`
#[derive(Default)]
pub(super) struct User {
    pub client_certificate: String,
    /// Base64, on one line.
    pub client_certificate_data: String,
    pub client_key: String,
    /// Base64, on one line.
    pub client_key_data: String,
    pub token: String,
    pub token_file: String,
    pub impersonate: String,
    pub impersonate_uid: String,
    pub impersonate_groups: Vec<String>,
    pub impersonate_extra: BTreeMap<String, Vec<String>>,
    /// The keys of [`Self::impersonate_extra`] whose list is null.
    pub impersonate_extra_nulls: Vec<String>,
    pub username: String,
    pub password: String,
    pub auth_provider: Option<AuthProvider>,
    pub exec: Option<Exec>,
    pub extensions: Vec<Extension>,
}

/// `users[].user.auth-provider`
#[derive(Default)]
pub(super) struct AuthProvider {
    pub name: String,
    pub config: BTreeMap<String, String>,
    /// There is no map, not even an empty one.
    pub config_is_null: bool,
}

/// `users[].user.exec`
#[derive(Default)]
pub(super) struct Exec {
    pub command: String,
    pub args: Vec<String>,
    /// There is no list, not even an empty one.
    pub args_is_null: bool,
    pub env: Vec<ExecVariable>,
    /// There is no list, not even an empty one.
    pub env_is_null: bool,
    pub api_version: String,
    pub install_hint: String,
    pub provide_cluster_info: bool,
    pub interactive_mode: String,
}

/// `users[].user.exec.env[]`
#[derive(Default)]
pub(super) struct ExecVariable {
    pub name: String,
    pub value: String,
}

/// What one file holds.
#[derive(Default)]
pub(super) struct Content {
    pub current_context: String,
    pub preferences: Preferences,
    pub contexts: Vec<(String, Context)>,
    pub clusters: Vec<(String, Cluster)>,
    pub users: Vec<(String, User)>,
    pub extensions: Vec<Extension>,
}

/// Reads a file's bytes: its first document, as kubectl does.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Content, KubeconfigError> {
    go_yaml::read(bytes)
        .and_then(|tree| content(&Node::root(&tree)))
        .map_err(|problem| KubeconfigError::Shape {
            file: path.to_owned(),
            problem,
        })
}

fn content(root: &Node<'_>) -> Result<Content, YamlError> {
    let fields = root.fields()?;
    check_version(root)?;
    Ok(Content {
        current_context: fields.text("current-context")?,
        preferences: fields.get("preferences", preferences)?,
        contexts: named(&fields, "contexts", "context", context)?,
        clusters: named(&fields, "clusters", "cluster", cluster)?,
        users: named(&fields, "users", "user", user)?,
        extensions: extensions(&fields)?,
    })
}

/// Whether it is a kubeconfig at all. Here, and only here, kubectl does not care for the case of names
/// (apimachinery's `SimpleMetaFactory`), and the last field that is not null decides.
fn check_version(root: &Node<'_>) -> Result<(), YamlError> {
    let Kind::Map(map) = root.kind() else {
        return Ok(());
    };
    let refused = |line, problem| Err(YamlError::Refused { line, problem });
    let (mut kind, mut version) = (None, None);
    for (key, id) in map.iter() {
        let (name, found) = match folded(key).as_str() {
            "kind" => ("kind", &mut kind),
            "apiversion" => ("apiVersion", &mut version),
            _ => continue,
        };
        let node = root.field(name, id);
        if !matches!(node.kind(), Kind::Null) {
            *found = Some((text(&node)?, node.line()));
        }
    }
    match kind {
        Some((kind, line)) if !["", "Config"].contains(&kind.as_str()) => {
            return refused(line, "`kind` is not `Config`");
        }
        _ => {}
    }
    match version {
        Some((version, line)) if !["", "/", "v1", "/v1"].contains(&version.as_str()) => {
            refused(line, "`apiVersion` is not `v1`")
        }
        _ => Ok(()),
    }
}

/// A name in lower case, as far as Go's `encoding/json` folds it onto ASCII.
fn folded(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            '\u{212A}' => 'k',
            '\u{17F}' => 's',
            _ => character.to_ascii_lowercase(),
        })
        .collect()
}

/// A list of names and what they name. A name is given once.
fn named<T: Default>(
    fields: &Fields<'_>,
    list: &'static str,
    field: &'static str,
    value: impl Fn(&Node<'_>) -> Result<T, YamlError>,
) -> Result<Vec<(String, T)>, YamlError> {
    fields.get(list, |node| {
        let entries = node.list(|item| {
            let fields = item.fields()?;
            let entry = (fields.text("name")?, fields.get(field, &value)?);
            Ok((entry, item.line()))
        })?;
        let entries = entries.unwrap_or_default();
        let mut names = HashMap::with_capacity(entries.len());
        for (index, ((name, _), line)) in entries.iter().enumerate() {
            if let Some(first) = names.insert(name.as_str(), index) {
                return Err(YamlError::Twice {
                    line: *line,
                    path: format!("{list}[{index}].name"),
                    first: format!("{list}[{first}]"),
                });
            }
        }
        Ok(entries.into_iter().map(|(entry, _)| entry).collect())
    })
}

fn preferences(node: &Node<'_>) -> Result<Preferences, YamlError> {
    let fields = node.fields()?;
    Ok(Preferences {
        colors: fields.truth("colors")?,
        extensions: extensions(&fields)?,
    })
}

fn context(node: &Node<'_>) -> Result<Context, YamlError> {
    let fields = node.fields()?;
    Ok(Context {
        cluster: fields.text("cluster")?,
        user: fields.text("user")?,
        namespace: fields.text("namespace")?,
        extensions: extensions(&fields)?,
    })
}

fn cluster(node: &Node<'_>) -> Result<Cluster, YamlError> {
    let fields = node.fields()?;
    Ok(Cluster {
        server: fields.text("server")?,
        tls_server_name: fields.text("tls-server-name")?,
        insecure_skip_tls_verify: fields.truth("insecure-skip-tls-verify")?,
        certificate_authority: fields.text("certificate-authority")?,
        certificate_authority_data: fields.bytes("certificate-authority-data")?,
        proxy_url: fields.text("proxy-url")?,
        disable_compression: fields.truth("disable-compression")?,
        extensions: extensions(&fields)?,
    })
}

fn user(node: &Node<'_>) -> Result<User, YamlError> {
    let fields = node.fields()?;
    let extra = fields.get("as-user-extra", |node| node.entries(|value| value.list(text)))?;
    let extra = extra.unwrap_or_default();
    let nulls = extra.iter().filter(|(_, values)| values.is_none());
    let nulls = nulls.map(|(key, _)| key.clone()).collect();
    Ok(User {
        client_certificate: fields.text("client-certificate")?,
        client_certificate_data: fields.bytes("client-certificate-data")?,
        client_key: fields.text("client-key")?,
        client_key_data: fields.bytes("client-key-data")?,
        token: fields.text("token")?,
        token_file: fields.text("tokenFile")?,
        impersonate: fields.text("as")?,
        impersonate_uid: fields.text("as-uid")?,
        impersonate_groups: fields.texts("as-groups")?.unwrap_or_default(),
        impersonate_extra: extra
            .into_iter()
            .map(|(key, values)| (key, values.unwrap_or_default()))
            .collect(),
        impersonate_extra_nulls: nulls,
        username: fields.text("username")?,
        password: fields.text("password")?,
        auth_provider: fields.get("auth-provider", |node| unless_null(node, auth_provider))?,
        exec: fields.get("exec", |node| unless_null(node, exec))?,
        extensions: extensions(&fields)?,
    })
}

fn unless_null<T>(
    node: &Node<'_>,
    decode: impl FnOnce(&Node<'_>) -> Result<T, YamlError>,
) -> Result<Option<T>, YamlError> {
    match node.kind() {
        Kind::Null => Ok(None),
        _ => decode(node).map(Some),
    }
}

fn auth_provider(node: &Node<'_>) -> Result<AuthProvider, YamlError> {
    let fields = node.fields()?;
    let config = fields.get("config", |node| node.entries(text))?;
    Ok(AuthProvider {
        name: fields.text("name")?,
        config_is_null: config.is_none(),
        config: config.unwrap_or_default(),
    })
}

fn exec(node: &Node<'_>) -> Result<Exec, YamlError> {
    let fields = node.fields()?;
    let args = fields.texts("args")?;
    let env = fields.list("env", |node| {
        let fields = node.fields()?;
        Ok(ExecVariable {
            name: fields.text("name")?,
            value: fields.text("value")?,
        })
    })?;
    let api_version = fields.text("apiVersion")?;
    let mut interactive_mode = fields.text("interactiveMode")?;
    // client-go `defaults.go`: later versions have to say.
    let may_be_silent = ["v1alpha1", "v1beta1"]
        .iter()
        .any(|version| api_version.strip_prefix("client.authentication.k8s.io/") == Some(version));
    if interactive_mode.is_empty() && may_be_silent {
        "IfAvailable".clone_into(&mut interactive_mode);
    }
    Ok(Exec {
        command: fields.text("command")?,
        args_is_null: args.is_none(),
        args: args.unwrap_or_default(),
        env_is_null: env.is_none(),
        env: env.unwrap_or_default(),
        api_version,
        install_hint: fields.text("installHint")?,
        provide_cluster_info: fields.truth("provideClusterInfo")?,
        interactive_mode,
    })
}

/// Extensions in the order of their names. A name is given once, unless what it named was null.
fn extensions(fields: &Fields<'_>) -> Result<Vec<Extension>, YamlError> {
    fields.get("extensions", |node| {
        let entries = node.list(|item| {
            let fields = item.fields()?;
            let extension = fields.get("extension", |node| Ok(Some(Json(node.json()))))?;
            let extension = extension.unwrap_or_else(|| Json("null".to_owned()));
            Ok((fields.text("name")?, extension, item.line()))
        })?;
        let mut by_name: BTreeMap<String, (Json, usize)> = BTreeMap::new();
        for (index, (name, extension, line)) in entries.unwrap_or_default().into_iter().enumerate() {
            match by_name.get(&name) {
                Some((first, first_index)) if !first.is_null() => {
                    return Err(YamlError::Twice {
                        line,
                        path: format!("{}[{index}].name", node.path()),
                        first: format!("{}[{first_index}]", node.path()),
                    });
                }
                _ => {}
            }
            by_name.insert(name, (extension, index));
        }
        Ok(by_name
            .into_iter()
            .map(|(name, (extension, _))| Extension { name, extension })
            .collect())
    })
}
