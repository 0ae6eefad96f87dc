//! Kubeconfigs and fleet files with known secrets wherever one can stand, sound and broken.

use serde_json::{Value, json};

use crate::harness::{Lab, json, must};
use crate::known::Known;

/// A kubeconfig with the lab's contexts and, for each way to hold a credential, one more.
pub fn kubeconfig(lab: &Lab, known: &mut Known) -> String {
    let mut whole = json(lab.kubectl(&lab.context(1), &["config", "view", "--raw", "-o", "json"]));
    let server = whole["clusters"][0]["cluster"].clone();
    let mut canary = |what: &str| {
        let text = format!("canary-{what}-4f1c9b7e");
        known.add(what, &text);
        text
    };
    let exec = |script: &str, canary: &mut dyn FnMut(&str) -> String| {
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
            "command": format!("./{script}"), "args": [canary(&format!("{script}-argument"))],
            "env": [{"name": "CANARY", "value": canary(&format!("{script}-variable"))}],
            "installHint": "install it",
        }})
    };
    let mut users: Vec<(&str, Value)> = Vec::new();
    for script in ["plugin", "failing", "garbled"] {
        users.push((script, exec(script, &mut canary)));
    }
    let absent = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": "./absent", "args": [canary("absent-argument")],
    }});
    let certificate = whole["users"][0]["user"]["client-certificate-data"].clone();
    users.extend([
        ("absent", absent),
        ("refused", json!({"token": canary("refused-token")})),
        (
            "password",
            json!({"username": "somebody", "password": canary("password")}),
        ),
        ("file", json!({"tokenFile": "token-file"})),
        (
            "crooked-key",
            json!({"client-certificate-data": certificate, "client-key-data": base64(&canary("key-data"))}),
        ),
        (
            "wrong-key",
            json!({"client-certificate-data": certificate,
            "client-key-data": base64(&format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                canary("pem-body")))}),
        ),
        (
            "provider",
            json!({"auth-provider": {"name": "oidc", "config": {
            "id-token": canary("id-token"), "refresh-token": canary("refresh-token"),
            "client-secret": canary("client-secret"), "idp-issuer-url": "https://127.0.0.1:1"}}}),
        ),
        (
            "both",
            json!({"username": "somebody", "password": canary("second-password"),
            "token": canary("second-token")}),
        ),
        (
            "newline",
            json!({"token": format!("{}\n{}", canary("first-line"), canary("second-line"))}),
        ),
    ]);
    lab.home
        .write("token-file", format!("{}\n", canary("token-file")));
    let said = [
        canary("failing-stdout"),
        canary("failing-stderr"),
        canary("garbled-stdout"),
    ];
    script(
        lab,
        "failing",
        &format!("echo {}; echo {} >&2; exit 3", said[0], said[1]),
    );
    script(lab, "garbled", &format!("echo '{{\"kind\": {}'", said[2]));

    let mut clusters = vec![("here", server.clone())];
    for (name, field, value) in [
        (
            "in-the-url",
            "server",
            format!("https://somebody:{}@127.0.0.1:1/", canary("url-password")),
        ),
        (
            "no-url",
            "server",
            format!("https://somebody:{}@[/", canary("no-url-password")),
        ),
        (
            "by-proxy",
            "proxy-url",
            format!("http://somebody:{}@127.0.0.1:1", canary("proxy-password")),
        ),
        (
            "no-proxy",
            "proxy-url",
            format!("ftp://somebody:{}@127.0.0.1:1", canary("no-proxy-password")),
        ),
        (
            "authority",
            "certificate-authority-data",
            base64(&canary("authority-data")),
        ),
        ("silent", "server", "https://127.0.0.1:1".to_owned()),
    ] {
        let mut cluster = server.clone();
        cluster[field] = value.into();
        clusters.push((name, cluster));
    }
    let token = must(lab.kubectl(&lab.context(1), &["create", "token", "bearer"]));
    known.add_token("the token of bearer", token.trim());
    users.push(("bearer", json!({"token": token.trim()})));
    let noise = canary_text(known, "plugin-stderr");
    let credential = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": token.trim()}});
    script(lab, "plugin", &format!("echo {noise} >&2; echo '{credential}'"));

    let mut add = |list: &str, name: &str, value: Value| {
        let singular = &list[..list.len() - 1];
        let entries = whole[list].as_array_mut().expect("a list");
        entries.push(json!({"name": name, singular: value}));
    };
    for (name, user) in &users {
        add("users", name, user.clone());
        add(
            "contexts",
            &format!("as-{name}"),
            json!({"cluster": "here", "user": name}),
        );
    }
    for (name, cluster) in clusters {
        add("clusters", name, cluster);
        add(
            "contexts",
            &format!("at-{name}"),
            json!({"cluster": name, "user": "refused"}),
        );
    }
    lab.home.write("canaries.kubeconfig", whole.to_string());
    "canaries.kubeconfig".to_owned()
}

/// Kubeconfigs that cannot be read, each with a secret where reading ends.
pub fn broken_kubeconfigs(known: &mut Known) -> Vec<String> {
    let mut canary = |what: &str| canary_text(known, what);
    vec![
        format!("users:\n- name: a\n  user: {}\n", canary("user-text")),
        format!(
            "users:\n- name: a\n  user: {{token: [{}]}}\n",
            canary("token-list")
        ),
        format!("users: [\n  {{token: {}\n", canary("token-open")),
        format!(
            "users:\n- name: a\n  user:\n    token: '{}\n",
            canary("token-quote")
        ),
        // As kubectl, a file is refused for what is no base64, whoever uses it.
        format!(
            "users:\n- name: a\n  user: {{client-key-data: {}}}\n",
            canary("key-text-data")
        ),
        format!("{}: yes\n\tusers: {}\n", canary("key-text"), canary("tab-text")),
        format!("kind: {}\napiVersion: v1\n", canary("kind-text")),
        format!("apiVersion: {}\nkind: Config\n", canary("version-text")),
        format!("users: {{a: *{}}}\n", canary("alias-text")),
        format!("users: !{} [a]\n", canary("tag-text")),
        format!(
            "users:\n- name: a\n  user: {{as-user-extra: {{a: {}}}}}\n",
            canary("extra-text")
        ),
        format!(
            "clusters:\n- name: a\n  cluster: {{insecure-skip-tls-verify: {}}}\n",
            canary("truth-text")
        ),
        format!(
            "current-context: {}\ncurrent-context: {0}\n",
            canary("twice-text")
        ),
    ]
}

/// Fleet files that are refused, each with a secret among Istio's values or where none belongs.
pub fn broken_fleets(known: &mut Known) -> Vec<String> {
    let mut canary = |what: &str| canary_text(known, what);
    let head = "apiVersion: stolos.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec:\n";
    vec![
        format!("{head}  mesh: {{values: {}}}\n", canary("values-text")),
        format!(
            "{head}  mesh: {{values: {{global: {{a: '{}\n",
            canary("values-open")
        ),
        format!("{head}  clusters: []\n  password: {}\n", canary("field-text")),
        format!(
            "{head}  clusters:\n  - {{name: a, token: {}}}\n",
            canary("cluster-token")
        ),
    ]
}

fn canary_text(known: &mut Known, what: &str) -> String {
    let text = format!("canary-{what}-4f1c9b7e");
    known.add(what, &text);
    text
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn script(lab: &Lab, name: &str, body: &str) {
    use std::os::unix::fs::PermissionsExt;
    lab.home.write(name, format!("#!/bin/sh\n{body}\n"));
    let path = lab.home.path().join(name);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}
