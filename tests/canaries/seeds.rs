//! Sound documents with a canary wherever a secret can stand: what is then made wrong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::known::Known;

pub fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// A self-signed certificate and its key.
pub fn certificate(known: &mut Known, what: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key can be made");
    let parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("it is a name");
    let certificate = parameters.self_signed(&key).expect("it can be signed");
    known.add_key(what, &key.serialize_pem());
    (certificate.pem(), key.serialize_pem())
}

/// A credential plugin that is not there, with secrets in its arguments and environment.
fn plugin(known: &mut Known, what: &str, version: &str) -> Value {
    json!({
        "apiVersion": format!("client.authentication.k8s.io/{version}"),
        "command": "/nonexistent/stolos-canaries/plugin",
        "args": ["get-token", format!("--secret={}", known.canary(&format!("{what}'s argument"))),
            known.canary(&format!("{what}'s second argument"))],
        "env": [{"name": "SECRET", "value": known.canary(&format!("{what}'s variable"))},
            {"name": "OTHER", "value": known.crooked(&format!("{what}'s other variable"))}],
        "interactiveMode": "Never", "provideClusterInfo": true,
    })
}

/// A kubeconfig with a user for each way to hold a credential, and a context for each user and
/// cluster. Contexts whose names begin with `exec` have a plugin.
pub fn kubeconfig(known: &mut Known, server: &str) -> Value {
    let (certificate, key) = certificate(known, "a client's key");
    let port_on = server.split_once("://").map_or(server, |(_, rest)| rest);
    let users = json!({
        "token": {"token": known.token("a token", "system:serviceaccount:a:b")},
        "crooked-token": {"token": known.crooked("a crooked token")},
        "basic": {"username": "somebody", "password": known.crooked("a password")},
        "token-file": {"tokenFile": "token-file", "token": known.canary("a token beside its file")},
        "key": {"client-certificate-data": base64(&certificate), "client-key-data": base64(&key)},
        "no-key": {"client-certificate-data": base64(&certificate),
            "client-key-data": base64(&known.pem("what is no key", "PRIVATE KEY"))},
        "bad-key": {"client-certificate-data": base64(&certificate),
            "client-key-data": known.canary("what is no base64 of a key")},
        "pasted-key": {"client-certificate-data": base64(&certificate),
            "client-key": known.pem("a key where its file's name belongs", "EC PRIVATE KEY")},
        "provider": {"auth-provider": {"name": "oidc", "config": {
            "id-token": known.token("an ID token", "somebody"),
            "refresh-token": known.canary("a refresh token"),
            "client-secret": known.canary("a client's secret"),
            "client-id": "stolos", "idp-issuer-url": "https://127.0.0.1:1"}}},
        "old-provider": {"auth-provider": {"name": "gcp", "config": {
            "access-token": known.canary("an access token"), "expiry": "2020-01-01T00:00:00Z"}}},
        "exec": {"exec": plugin(known, "a plugin", "v1")},
        "exec-beta": {"exec": plugin(known, "a beta plugin", "v1beta1")},
        "exec-both": {"exec": plugin(known, "a plugin beside a token", "v1"),
            "token": known.canary("a token beside a plugin")},
        "both": {"token": known.canary("a token beside a password"), "username": "u",
            "password": known.canary("a password beside a token")},
        "impersonating": {"token": known.canary("an impersonator's token"), "as": "jane",
            "as-groups": ["dev"], "as-user-extra": {"reason": ["on call"]}},
        "extended": {"token": known.canary("an extended user's token"), "extensions": [
            {"name": "mine", "extension": {"secret": known.canary("an extension of a user")}}]},
    });
    let clusters = json!({
        "plain": {"server": format!("https://{port_on}"), "insecure-skip-tls-verify": true},
        "authority": {"server": format!("https://{port_on}"), "certificate-authority-data": base64(&certificate)},
        "in-the-url": {"server": format!("https://somebody:{}@{port_on}/", known.canary("a URL's password")),
            "insecure-skip-tls-verify": true},
        "in-the-query": {"server": format!("https://{port_on}/k8s?token={}#{}", known.canary("a URL's query"),
            known.canary("a URL's fragment"))},
        "by-proxy": {"server": format!("https://{port_on}"),
            "proxy-url": format!("http://somebody:{}@127.0.0.1:1", known.canary("a proxy's password"))},
        "by-socks": {"server": format!("https://{port_on}"),
            "proxy-url": format!("socks5://somebody:{}@127.0.0.1:1", known.canary("a SOCKS proxy's password"))},
        "extended": {"server": format!("https://{port_on}"), "insecure-skip-tls-verify": true, "extensions": [
            {"name": "client.authentication.k8s.io/exec",
                "extension": {"secret": known.canary("an extension for a plugin")}},
            {"name": "other", "extension": known.canary("an extension of a cluster")}]},
        // A key among the certificates, as people keep them in one file.
        "key-among-them": {"server": format!("https://{port_on}"),
            "certificate-authority-data": base64(&(certificate + &key))},
    });
    let named = |map: &Value, field: &str| -> Vec<Value> {
        let map = map.as_object().expect("a map");
        map.iter()
            .map(|(name, value)| json!({"name": name, field: value}))
            .collect()
    };
    let mut contexts = Vec::new();
    let mut context = |name: String, cluster: &str, user: &str| {
        contexts
            .push(json!({"name": name, "context": {"cluster": cluster, "user": user, "namespace": "apps"}}));
    };
    for user in users.as_object().expect("a map").keys() {
        context(user.clone(), "plain", user);
    }
    for cluster in clusters.as_object().expect("a map").keys() {
        context(format!("at-{cluster}"), cluster, "token");
        if ["plain", "extended", "in-the-url"].contains(&cluster.as_str()) {
            context(format!("exec-at-{cluster}"), cluster, "exec");
        }
    }
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "token", "preferences": {"colors": true},
        "contexts": contexts, "clusters": named(&clusters, "cluster"), "users": named(&users, "user"),
        "extensions": [{"name": "e", "extension": {"secret": known.canary("an extension of the kubeconfig")}}],
    })
}

/// Fields of a kubeconfig that are shown.
pub fn is_public(field: &str) -> bool {
    [
        "name",
        "cluster",
        "user",
        "namespace",
        "server",
        "as",
        "as-uid",
        "as-groups",
        "reason",
        "current-context",
        "kind",
        "apiVersion",
        "username",
        "command",
        "installHint",
        "interactiveMode",
        "tls-server-name",
        "client-id",
        "idp-issuer-url",
    ]
    .contains(&field)
}

/// What of a text may be shown, if it still is a kubeconfig: names that became longer by chance are
/// their owner's words.
pub fn public_texts(bytes: &[u8]) -> String {
    let mut texts = String::new();
    let documents = stolos::yaml::documents(&String::from_utf8_lossy(bytes)).unwrap_or_default();
    for document in &documents {
        texts.push_str(&document["current-context"].to_string());
        for (list, field) in [
            ("contexts", "context"),
            ("clusters", "cluster"),
            ("users", "user"),
        ] {
            for entry in document[list].as_array().into_iter().flatten() {
                texts.push_str(&entry["name"].to_string());
                for shown in ["cluster", "user", "namespace", "as"] {
                    if entry[field][shown].is_string() {
                        texts.push_str(&entry[field][shown].to_string());
                    }
                }
            }
        }
    }
    texts
}

/// Whether all addresses and URLs in a text still lead to this machine's loopback: nothing made
/// wrong here may be sent to somebody else.
pub fn stays_here(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let numbers = text.split(|character: char| !character.is_ascii_digit() && character != '.');
    let mut addresses = numbers.filter(|part| part.matches('.').count() >= 2 && !part.starts_with('.'));
    let here = ["127.0.0.1", "1.31.2", "1.36.3"];
    let mut urls = text.match_indices("://").map(|(at, _)| &text[at + 3..]);
    addresses.all(|address| here.contains(&address))
        && urls.all(|rest| {
            let authority = &rest[..rest.find(['"', '\'', '\n', '/']).unwrap_or(rest.len())];
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            host.starts_with("127.0.0.1:")
        })
}
