//! The merge and the connection, on files in a temporary folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::connection::credential::Bearer;
use crate::connection::credential::plugin::Plugin;
use crate::connection::endpoint::Authority;

const SECRET: &str = "eyJhbGciOiJSUzI1NiJ9.hunter2";

pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn load(&self, files: &[&str]) -> Result<Kubeconfigs, KubeconfigError> {
        let list = std::env::join_paths(files.iter().map(|file| {
            if file.is_empty() {
                PathBuf::new()
            } else {
                self.0.path().join(file)
            }
        }))
        .unwrap();
        Kubeconfigs::from_sources(&Sources {
            explicit: None,
            list: Some(list),
            home: None,
        })
    }
}

pub(super) fn config(context: &str, server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {context}\n\
         contexts: [{{name: {context}, context: {{cluster: {context}, user: {context}, namespace: apps}}}}]\n\
         clusters: [{{name: {context}, cluster: {{server: {server}}}}}]\n\
         users: [{{name: {context}, user: {{{user}}}}}]\n"
    )
}

pub(super) async fn connection(
    kubeconfigs: &Kubeconfigs,
    context: &str,
) -> Result<Connection, KubeconfigError> {
    kubeconfigs
        .connection(context, &ConnectionOptions::default())
        .await
}

fn token_of(connection: &Connection) -> &str {
    match &connection.source.bearer {
        Bearer::Token(token) => token.expose(),
        _ => "",
    }
}

pub(super) fn impersonated(connection: &Connection) -> Vec<(&str, &str)> {
    let headers = &connection.impersonation;
    let pairs = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    pairs.collect()
}

fn plugin_of(connection: &Connection) -> &Plugin {
    match &connection.source.bearer {
        Bearer::Plugin(plugin) => plugin,
        _ => panic!("there is no plugin"),
    }
}

#[test]
fn the_first_file_wins_and_missing_ones_are_skipped() {
    let folder = Folder::new();
    folder.write(
        "a",
        &config("east", "https://a.example", "token: a").replace("current-context: east", ""),
    );
    folder.write(
        "b",
        &(config("east", "https://b.example", "token: b") + "extra: 1\n"),
    );
    folder.write("c", &config("west", "https://c.example", "token: c"));
    let merged = folder.load(&["", "missing", "a", "b", "a", "c"]).unwrap();
    let contexts = merged.contexts();
    let seen: Vec<(&str, &str, bool)> = contexts
        .iter()
        .map(|entry| (entry.name.as_str(), entry.server.as_str(), entry.current))
        .collect();
    assert_eq!(
        seen,
        [
            ("east", "https://a.example", true),
            ("west", "https://c.example", false)
        ]
    );
    assert_eq!(merged.files().len(), 3);
    assert_eq!(merged.missing().len(), 1);
}

#[test]
fn nothing_at_all_is_no_error_but_an_explicit_file_must_be_there() {
    let folder = Folder::new();
    assert!(folder.load(&["missing"]).unwrap().contexts().is_empty());
    let sources = |explicit: Option<PathBuf>, list: Option<&str>| Sources {
        explicit,
        list: list.map(OsString::from),
        home: Some(folder.0.path().to_owned()),
    };
    assert!(matches!(
        Kubeconfigs::from_sources(&sources(Some(folder.0.path().join("missing")), None)),
        Err(KubeconfigError::Read { .. })
    ));
    folder.write(".kube/config", &config("home", "https://h.example", ""));
    for list in [None, Some("")] {
        let merged = Kubeconfigs::from_sources(&sources(None, list)).unwrap();
        assert!(merged.has_context("home"));
    }
}

#[test]
fn what_kubectl_refuses_is_refused_by_line_and_field_without_a_value() {
    let folder = Folder::new();
    let cases = [
        (
            "clusters:\n- name: a\n  cluster:\n    server: 8443\n",
            "line 4: `clusters[0].cluster.server` is not a text",
        ),
        (
            "users:\n- name: a\n  user: {token: [SECRET]}\n",
            "line 3: `users[0].user.token` is not a text",
        ),
        (
            "users:\n- name: a\n  user: SECRET\n",
            "`users[0].user` is not a map",
        ),
        ("users: SECRET\n", "line 1: `users` is not a list"),
        ("kind: Pod\n", "`kind` is not `Config`"),
        ("apiVersion: v2\n", "`apiVersion` is not `v1`"),
        (
            "contexts: [{name: a}, {name: a}]\n",
            "line 1: `contexts[1].name` is the name of `contexts[0]` as well",
        ),
        ("users:\n\t- token: SECRET\n", "not YAML at line 2"),
        ("SECRET\n", "is not a map"),
        (
            "users:\n- name: a\n  user:\n    client-key-data: SECRET\n",
            "line 4: `users[0].user.client-key-data` is not base64",
        ),
        (
            "users: [{name: a, user: {auth-provider: {config: {SECRET: [SECRET]}}}}]\n",
            "line 1: `users[0].user.auth-provider.config.*` is not a text",
        ),
        ("users: [\"SECRET\n", "not YAML at line 2"),
        ("token: SECRET\nsecret: *SECRET\n", "not YAML at line 2"),
    ];
    for (text, expected) in cases {
        folder.write("config", &text.replace("SECRET", SECRET));
        let error = folder.load(&["config"]).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?} gave {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    std::fs::write(folder.0.path().join("config"), [0xFF, 0xFE, b'a']).unwrap();
    assert!(
        folder
            .load(&["config"])
            .unwrap_err()
            .to_string()
            .contains("it is not text in UTF-16")
    );
    assert!(matches!(folder.load(&["."]), Err(KubeconfigError::Read { .. })));
}

#[test]
fn other_encodings_empty_files_and_further_documents_are_read_as_kubectl_does() {
    let folder = Folder::new();
    let text = config("east", "https://a.example", "");
    let wide: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    std::fs::write(folder.0.path().join("wide"), wide).unwrap();
    assert!(folder.load(&["wide"]).unwrap().has_context("east"));
    folder.write("empty", "");
    folder.write("comment", "# nothing\n");
    folder.write(
        "two",
        &(text + "---\n" + &config("west", "https://b.example", "")),
    );
    let merged = folder.load(&["empty", "comment", "two"]).unwrap();
    assert!(merged.has_context("east"));
    assert!(!merged.has_context("west"));
}

#[tokio::test]
async fn a_context_that_is_not_there_is_never_replaced_by_another() {
    let folder = Folder::new();
    folder.write("config", &config("prod-east", "https://a.example", ""));
    let merged = folder.load(&["config"]).unwrap();
    let error = connection(&merged, "prod-esat").await.err().unwrap();
    let KubeconfigError::NoContext { nearest, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(nearest, &["prod-east"]);
    assert!(Shown::from(error).hint.unwrap().contains("prod-east"));
    assert!(connection(&merged, "").await.is_err());
}

#[tokio::test]
async fn relative_paths_start_at_the_file_that_they_stand_in() {
    let folder = Folder::new();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["a.example".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    folder.write(
        "one/pki/ca.crt",
        &format!("{}{}", key.serialize_pem(), certificate.pem()),
    );
    folder.write("two/pki/me.crt", &certificate.pem());
    folder.write("two/pki/me.key", &key.serialize_pem());
    folder.write("two/token", &format!("{SECRET}\n"));
    folder.write(
        "one/config",
        "contexts: [{name: a, context: {cluster: a, user: a}}]\n\
         clusters: [{name: a, cluster: {server: 'https://a.example:6443/base', certificate-authority: pki/ca.crt, tls-server-name: real.example}}]\n",
    );
    folder.write(
        "two/config",
        "users: [{name: a, user: {client-certificate: pki/me.crt, client-key: pki/me.key, tokenFile: token, token: other, as: jane, as-groups: [dev]}}]\n",
    );
    let merged = folder.load(&["one/config", "two/config"]).unwrap();
    let made = connection(&merged, "a").await.unwrap();
    assert_eq!(made.server, "https://a.example:6443/base");
    assert_eq!(made.endpoint.url, "https://a.example:6443/base");
    assert_eq!(made.tls_server_name, "real.example");
    assert_eq!(made.endpoint.tls_server_name, "real.example");
    assert_eq!(
        made.endpoint.authority,
        Authority::Certificates(vec![certificate.der().to_vec()])
    );
    assert!(made.authority_pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert!(
        !made.authority_pem.contains("PRIVATE"),
        "the key beside the authority stays where it is"
    );
    let shown = made.source.certificate.as_ref().unwrap();
    assert_eq!(shown.chain, certificate.pem().into_bytes());
    assert_eq!(shown.key.expose(), key.serialize_pem());
    let Bearer::File { path, fallback } = &made.source.bearer else {
        panic!("the token file goes before the token");
    };
    assert_eq!(*path, folder.0.path().join("two/token"));
    assert_eq!(fallback.as_ref().unwrap().expose(), "other");
    assert_eq!(
        impersonated(&made),
        [("impersonate-user", "jane"), ("impersonate-group", "dev")]
    );
    let options = ConnectionOptions {
        impersonate: Some("joe".to_owned()),
        impersonate_groups: vec!["ops".to_owned()],
    };
    let made = merged.connection("a", &options).await.unwrap();
    assert_eq!(
        impersonated(&made),
        [("impersonate-user", "joe"), ("impersonate-group", "ops")]
    );
    assert!(Path::new(&merged.files()[0]).is_absolute());
}

#[tokio::test]
async fn plugins_are_described_and_not_run() {
    let folder = Folder::new();
    let ran = folder.0.path().join("ran");
    let exec = |command: &str, more: &str| {
        format!(
            "exec: {{command: {command}, args: [a], env: [{{name: K, value: {SECRET}}}], \
             apiVersion: client.authentication.k8s.io/v1, {more}}}"
        )
    };
    folder.write("bin/plugin", &format!("#!/bin/sh\ntouch {}\n", ran.display()));
    folder.write(
        "config",
        &config(
            "a",
            "https://a.example",
            &exec("bin/plugin", "interactiveMode: Never, provideClusterInfo: true"),
        ),
    );
    let made = connection(&folder.load(&["config"]).unwrap(), "a").await.unwrap();
    let plugin = plugin_of(&made);
    assert_eq!(
        plugin.command,
        folder.0.path().join("bin/plugin").to_str().unwrap()
    );
    assert_eq!(plugin.environment[0].1.expose(), SECRET);
    assert_eq!(plugin.cluster.as_ref().unwrap().server, "https://a.example");
    assert!(!ran.exists());
    folder.write(
        "config",
        &config(
            "a",
            "https://a.example",
            &exec("plugin", "interactiveMode: IfAvailable"),
        ),
    );
    let made = connection(&folder.load(&["config"]).unwrap(), "a").await.unwrap();
    assert_eq!(plugin_of(&made).command, "plugin");
    folder.write(
        "config",
        &config(
            "a",
            "https://a.example",
            &format!("token: t, {}", exec("plugin", "interactiveMode: IfAvailable")),
        ),
    );
    let made = connection(&folder.load(&["config"]).unwrap(), "a").await.unwrap();
    assert_eq!(token_of(&made), "t", "kubectl leaves the plugin aside");
}

#[tokio::test]
async fn what_contradicts_itself_is_refused_without_a_value() {
    let folder = Folder::new();
    let cases = [
        (
            config("a", "https://a.example", "token: SECRET, username: u"),
            "users[\"a\"].user.token",
        ),
        (
            config("a", "https://a.example", "client-certificate-data: aGk="),
            "users[\"a\"].user.client-key",
        ),
        (
            config("a", "https://a.example", "client-certificate: nowhere"),
            "users[\"a\"].user.client-certificate",
        ),
        (
            config(
                "a",
                "https://a.example",
                "auth-provider: {name: oidc, config: {id-token: SECRET}}",
            ),
            "users[\"a\"].user.auth-provider.config.idp-issuer-url",
        ),
        (
            config("a", "https://a.example", "exec: {command: ''}"),
            "users[\"a\"].user.exec.command",
        ),
        (
            config(
                "a",
                "https://a.example",
                "exec: {command: c, apiVersion: client.authentication.k8s.io/v1}",
            ),
            "users[\"a\"].user.exec.interactiveMode",
        ),
        (
            config(
                "a",
                "https://a.example",
                "exec: {command: c, interactiveMode: Never, apiVersion: SECRET}",
            ),
            "users[\"a\"].user.exec.apiVersion",
        ),
        (
            config("a", "https://a.example", "auth-provider: {name: gcp}"),
            "users[\"a\"].user.auth-provider.name",
        ),
        (
            config("a", "https://a.example", "as-groups: [SECRET]"),
            "users[\"a\"].user.as",
        ),
        (
            config("a", "ftp://SECRET@a.example", ""),
            "clusters[\"a\"].cluster.server",
        ),
        (
            config("a", "https://a.example, proxy-url: 'ftp://u:SECRET@p'", ""),
            "clusters[\"a\"].cluster.proxy-url",
        ),
        (
            config("a", "https://a.example, certificate-authority-data: aGk=", ""),
            "clusters[\"a\"].cluster.certificate-authority",
        ),
        (
            config("a", "https://a.example", "").replace("user: a,", "user: b,"),
            "there is no user \"b\"",
        ),
        (
            config("a", "https://a.example", "").replace("cluster: a,", ""),
            "contexts[\"a\"].context.cluster",
        ),
    ];
    for (text, expected) in cases {
        folder.write("config", &text.replace("SECRET", SECRET));
        let merged = folder
            .load(&["config"])
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let error = connection(&merged, "a")
            .await
            .err()
            .unwrap_or_else(|| panic!("{text} was accepted"));
        let shown = error.to_string();
        assert!(shown.contains(expected), "{text:?} gave {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!format!("{error:?}{merged:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn credentials_do_not_go_over_a_connection_without_tls() {
    let folder = Folder::new();
    folder.write(
        "config",
        &config("a", "http://a.example", &format!("token: {SECRET}")),
    );
    let made = connection(&folder.load(&["config"]).unwrap(), "a").await.unwrap();
    assert_eq!(token_of(&made), "");
    // As kubectl, whatever is said of TLS.
    folder.write(
        "config",
        &config("a", "a.example, insecure-skip-tls-verify: yes", "token: t"),
    );
    let made = connection(&folder.load(&["config"]).unwrap(), "a").await.unwrap();
    assert_eq!(made.endpoint.url, "http://a.example/");
    assert_eq!(token_of(&made), "");
    folder.write(
        "config",
        &config(
            "a",
            "https://a.example, insecure-skip-tls-verify: yes",
            "token: t",
        ),
    );
    let made = connection(&folder.load(&["config"]).unwrap(), "a").await.unwrap();
    assert_eq!(made.endpoint.authority, Authority::Unchecked);
    assert_eq!(token_of(&made), "t");
}
