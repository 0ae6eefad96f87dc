//! What is said to a plugin and what is taken from it, as client-go does both.

use super::super::protocol::{AnswerError, answer, question};
use super::super::{PLUGIN_EXTENSION, PluginCluster};
use super::*;

pub(super) fn cluster() -> PluginCluster {
    PluginCluster {
        server: "https://127.0.0.1:1".to_owned(),
        tls_server_name: String::new(),
        insecure_skip_tls_verify: false,
        certificate_authority_data: Vec::new(),
        proxy_url: String::new(),
        disable_compression: false,
        config: Value::Null,
    }
}

fn plugin() -> Plugin {
    Plugin {
        api_version: ApiVersion::V1,
        command: "plugin".to_owned(),
        arguments: Vec::new(),
        environment: Vec::new(),
        interactive_mode: InteractiveMode::Never,
        install_hint: String::new(),
        cluster: None,
    }
}

/// The right sides are what kubectl 1.36 passed to a plugin that wrote it down.
#[test]
fn a_plugin_is_told_what_kubectl_tells_it() {
    let mut plugin = plugin();
    assert_eq!(
        question(&plugin, false).expect("it can be written"),
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"spec\":{\"interactive\":false}}\n"
    );
    plugin.cluster = Some(cluster());
    assert_eq!(
        question(&plugin, false).expect("it can be written"),
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"spec\":{\"cluster\":\
         {\"server\":\"https://127.0.0.1:1\",\"config\":null},\"interactive\":false}}\n"
    );
    plugin.api_version = ApiVersion::V1Beta1;
    plugin.cluster = Some(PluginCluster {
        server: "https://127.0.0.1:1/p/".to_owned(),
        tls_server_name: "<n&m>".to_owned(),
        insecure_skip_tls_verify: true,
        certificate_authority_data: Vec::new(),
        proxy_url: "http://u:p@127.0.0.1:2/".to_owned(),
        disable_compression: true,
        config: json!({"z": 1, "a": ["x<y"], "b": 1.50, "c": null}),
    });
    assert_eq!(
        question(&plugin, false).expect("it can be written"),
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"spec\":{\"cluster\":\
         {\"server\":\"https://127.0.0.1:1/p/\",\"tls-server-name\":\"\\u003cn\\u0026m\\u003e\",\
         \"insecure-skip-tls-verify\":true,\"proxy-url\":\"http://u:p@127.0.0.1:2/\",\"disable-compression\":true,\
         \"config\":{\"a\":[\"x\\u003cy\"],\"b\":1.5,\"c\":null,\"z\":1}},\"interactive\":false}}\n"
    );
    assert_eq!(PLUGIN_EXTENSION, "client.authentication.k8s.io/exec");
}

#[test]
fn the_authority_is_passed_as_it_stands() {
    let mut plugin = plugin();
    let mut told = cluster();
    told.certificate_authority_data = b"comment\nPEM".to_vec();
    plugin.cluster = Some(told);
    let text = question(&plugin, true).expect("it can be written");
    let said: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(
        said["spec"]["cluster"]["certificate-authority-data"],
        "Y29tbWVudApQRU0="
    );
    assert_eq!(said["spec"]["interactive"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_runs_in_our_environment_with_its_own_over_it() {
    let folder = Folder::new();
    let mut plugin = folder.plugin("plugin", "give \"$ONE-$CARGO_PKG_NAME-${PATH:+path}-$2\"");
    for (name, value) in [("ONE", "x"), ("ONE", "1"), ("CARGO_PKG_NAME", "ours")] {
        plugin.environment.push((name.to_owned(), Sensitive::new(value)));
    }
    plugin.arguments = vec![String::new(), "two words".to_owned()];
    let mut told = plugin.clone();
    assert_eq!(
        ask(&Plugins::new(options()), &plugin).await.as_deref(),
        Ok("Bearer 1-ours-path-two words")
    );
    // The variable of the protocol cannot be overridden.
    told.environment
        .push(("KUBERNETES_EXEC_INFO".to_owned(), Sensitive::new("mine")));
    told.command = folder
        .plugin("told", "printf %s \"$KUBERNETES_EXEC_INFO\" > told.json; give t")
        .command;
    assert!(ask(&Plugins::new(options()), &told).await.is_ok());
    let said = question(&told, false).expect("it can be written");
    assert_eq!(folder.lines("told.json").join("\n"), said.trim_end());
}

#[test]
fn answers_are_taken_as_client_go_takes_them() {
    let pair =
        rcgen::generate_simple_self_signed(vec!["user".to_owned()]).expect("a certificate can be made");
    let (chain, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
    let plugin = plugin();
    let take = |answered: &Value| answer(&plugin, answered.to_string().as_bytes());
    let status = |status: &Value| take(&issued(status)).map(|_| ()).err();
    let both = take(&issued(
        &json!({"token": "t", "clientCertificateData": chain, "clientKeyData": key,
                "expirationTimestamp": "2999-01-01T00:00:00+01:00", "more": 1}),
    ))
    .map_err(|error| error.to_string())
    .expect("it is a credential");
    assert_eq!(token(&both.authorization), "Bearer t");
    let certificate = both.authorization.certificate.expect("there is a certificate");
    assert!(certificate.chain == chain.as_bytes() && certificate.key.expose() == key);
    assert_eq!(
        both.expires.map(|time| time.to_string()).as_deref(),
        Some("2998-12-31T23:00:00Z")
    );
    // A token or a pair is enough; empty is absent; null is absent.
    assert_eq!(
        status(&json!({"clientCertificateData": chain, "clientKeyData": key})),
        None
    );
    assert_eq!(
        status(&json!({"token": "t", "clientKeyData": "", "expirationTimestamp": null})),
        None
    );
    for (answered, error) in [
        (json!({}), AnswerError::Empty),
        (json!({"token": ""}), AnswerError::Empty),
        (json!({"clientCertificateData": chain}), AnswerError::HalfAPair),
        (
            json!({"token": "t", "clientKeyData": key}),
            AnswerError::HalfAPair,
        ),
        (
            json!({"clientCertificateData": "x", "clientKeyData": key}),
            AnswerError::Certificate,
        ),
        (
            json!({"clientCertificateData": chain, "clientKeyData": "x"}),
            AnswerError::Certificate,
        ),
        (
            json!({"token": "t", "expirationTimestamp": "soon"}),
            AnswerError::Expiry,
        ),
        (
            json!({"token": "t", "expirationTimestamp": ""}),
            AnswerError::Expiry,
        ),
        (json!({"token": "a\nb"}), AnswerError::Token),
        (json!({"token": 5}), AnswerError::NotACredential),
        (Value::Null, AnswerError::NoStatus),
    ] {
        assert_eq!(status(&answered), Some(error), "{answered}");
    }
}

#[test]
fn an_answer_is_of_the_kind_and_version_that_was_asked_for() {
    let mut plugin = plugin();
    let given = |plugin: &Plugin, text: &str| answer(plugin, text.as_bytes()).map(|_| ()).err();
    let beta = "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\
                \"status\":{\"token\":\"t\"}}";
    assert_eq!(given(&plugin, beta), Some(AnswerError::OtherVersion));
    plugin.api_version = ApiVersion::V1Beta1;
    assert_eq!(given(&plugin, beta), None);
    assert_eq!(
        given(&plugin, &beta.replace("ExecCredential", "Secret")),
        Some(AnswerError::NotACredential)
    );
    for nothing in ["", "\n", "t", "[]", "null", "{", &format!("{beta}{beta}")] {
        assert_eq!(
            given(&plugin, nothing),
            Some(AnswerError::NotACredential),
            "{nothing:?}"
        );
    }
    // client-go's decoder takes YAML as well.
    let yaml =
        "kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1beta1\nstatus:\n  token: t\n";
    assert_eq!(given(&plugin, yaml), None);
}

#[test]
fn versions_and_modes_are_those_of_a_kubeconfig() {
    assert_eq!(ApiVersion::parse("client.authentication.k8s.io/v1alpha1"), None);
    for version in [ApiVersion::V1, ApiVersion::V1Beta1] {
        assert_eq!(ApiVersion::parse(version.as_str()), Some(version));
        assert_eq!(InteractiveMode::parse("Sometimes", version), None);
        assert_eq!(
            InteractiveMode::parse("Always", version),
            Some(InteractiveMode::Always)
        );
    }
    assert_eq!(InteractiveMode::parse("", ApiVersion::V1), None);
    assert_eq!(
        InteractiveMode::parse("", ApiVersion::V1Beta1),
        Some(InteractiveMode::IfAvailable)
    );
}
