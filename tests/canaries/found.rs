//! Each leak that was found, by itself: what was said too much is not said, and what remains to be
//! said still is.

use base64::Engine;
use serde_json::{Value, json};
use stolos::cluster::{Client, ListSelector, kubeconfig_facts, namespace_contents};
use stolos::host::kubeconfig::{ConnectionOptions, Kubeconfigs, Sources};
use stolos::inventory::{Failure, FailureClass, kind};

use crate::answers;
use crate::reach::connected;
use crate::server::{Answer, Server};

const SECRET: &str = "hunter2-hunter2";

fn kubeconfigs(cluster: &str, user: &str) -> (tempfile::TempDir, Kubeconfigs) {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("config");
    let text = format!(
        "contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\nclusters: [{{name: a, cluster: {{{cluster}}}}}]\n\
         users: [{{name: a, user: {{{user}}}}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    let sources = Sources {
        explicit: Some(path),
        ..Sources::default()
    };
    let read = Kubeconfigs::from_sources(&sources).unwrap();
    (folder, read)
}

#[test]
fn a_servers_url_is_listed_without_its_query_and_any_password() {
    for (server, shown) in [
        ("https://a.example/k?token=hunter2-hunter2", "https://a.example/k"),
        ("https://a.example/#hunter2-hunter2", "https://a.example/"),
        ("https://u:hunter2-hunter2@a.example", "https://a.example"),
        ("https://u:hunter2/hunter2-hunter2@a.example", ""),
        ("https:/u:hunter2-hunter2@a.example", ""),
    ] {
        let (_folder, kubeconfigs) = kubeconfigs(&format!("server: '{server}'"), "");
        assert_eq!(kubeconfigs.contexts()[0].server, shown, "{server}");
    }
}

#[tokio::test]
async fn what_was_pasted_where_a_files_name_belongs_is_not_repeated() {
    for field in ["client-key", "client-certificate", "tokenFile"] {
        let certificate = if field == "client-key" {
            "client-certificate-data: YQ==, "
        } else {
            ""
        };
        let user = format!("{certificate}{field}: {SECRET}");
        let (_folder, kubeconfigs) = kubeconfigs("server: 'https://a.example'", &user);
        let options = ConnectionOptions::default();
        let Err(error) = kubeconfigs.connection("a", &options).await else {
            // A token's file may be read no sooner than it is needed.
            continue;
        };
        let said = format!("{error} {error:?}");
        assert!(said.contains(field) && !said.contains(SECRET), "{said}");
    }
}

#[test]
fn a_remote_kubeconfigs_facts_hold_no_password_and_no_key() {
    let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let authority = base64::engine::general_purpose::STANDARD.encode(format!("{key}{SECRET}\n{certificate}"));
    let kubeconfig = json!({"current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": format!("https://u:{SECRET}@a.example/?{SECRET}"),
            "certificate-authority-data": authority}}],
        "users": [{"name": "a", "user": {"token": "t"}}]});
    let (entry, _) = kubeconfig_facts(kubeconfig.to_string().as_bytes());
    assert_eq!(entry.server, "https://a.example/");
    assert!(entry.authority.ends_with(&certificate), "{}", entry.authority);
    let said = serde_json::to_string(&entry).unwrap();
    assert!(
        !said.contains(SECRET) && !said.contains(key.lines().nth(1).unwrap()),
        "{said}"
    );
}

/// A server that gives every request one answer.
fn server(status: u16, answer: &Value) -> Server {
    let body = answer.to_string().into_bytes();
    Server::start(None, move |_| Answer {
        status,
        headers: "Content-Type: application/json\r\n".to_owned(),
        body: body.clone(),
    })
}

async fn listed(client: &Client, kind: kind::Kind) -> Result<usize, Failure> {
    client
        .list(kind, ListSelector::default())
        .await
        .map(|objects| objects.len())
}

#[tokio::test]
async fn a_list_of_what_is_no_object_is_refused_and_not_stumbled_over() {
    for item in [json!([1]), json!("text"), json!(7), json!(true)] {
        let server = server(200, &json!({"items": [{"metadata": {"name": "a"}}, item]}));
        let client = connected("a", &server.url).await;
        let failure = listed(&client, kind::POD).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::NotKubernetes, "{item}");
    }
}

#[tokio::test]
async fn a_servers_words_of_secrets_and_credentials_are_not_repeated() {
    let refusal = |message: &str| json!({"kind": "Status", "message": message});
    for (status, message) in [
        (401, format!("invalid bearer token {SECRET}")),
        (
            403,
            format!("secrets is forbidden: User \"u\" cannot list resource \"secrets\": {SECRET}"),
        ),
        (403, format!("the token {SECRET} not found")),
        (500, format!("decode {SECRET}")),
        (
            422,
            format!("admission webhook \"a\" denied the request: {SECRET} already exists"),
        ),
    ] {
        let server = server(status, &refusal(&message));
        let client = connected("a", &server.url).await;
        for kind in [kind::SECRET, kind::CONFIG_MAP] {
            let failure = listed(&client, kind).await.unwrap_err();
            let said = format!("{failure} {failure:?}");
            assert!(
                !said.contains(SECRET) && said.contains(&status.to_string()),
                "{said}"
            );
        }
    }
    let plain = "secrets is forbidden: User \"u\" cannot list resource \"secrets\" in API group \"\" at the cluster scope";
    let server = server(403, &refusal(plain));
    let client = connected("a", &server.url).await;
    assert_eq!(listed(&client, kind::SECRET).await.unwrap_err().message, plain);
}

#[tokio::test]
async fn a_namespaces_contents_hold_no_copy_of_a_secret() {
    let applied = json!({"stringData": {"token": SECRET}}).to_string();
    let item = json!({"metadata": {"name": "a", "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": applied, "meta.helm.sh/release-name": "istiod"}}});
    let discovered = json!({"items": [{"metadata": {}, "versions": [{"version": "v1", "resources": [
        {"resource": "secrets", "responseKind": {"kind": "Secret"}, "scope": "Namespaced", "verbs": ["list"]}]}]}]});
    let server = Server::start(None, move |request| {
        let answer = if request.path().contains("/namespaces/") {
            json!({"items": [item, 3]})
        } else {
            discovered.clone()
        };
        Answer {
            status: 200,
            headers: String::new(),
            body: answer.to_string().into_bytes(),
        }
    });
    let client = connected("a", &server.url).await;
    let objects = namespace_contents(&client, "istio-system").await.unwrap();
    assert!(!objects.is_empty());
    let said = serde_json::to_string(&objects).unwrap();
    assert!(said.contains("istiod") && !said.contains(SECRET), "{said}");
}

#[tokio::test]
async fn a_value_where_a_secrets_key_belongs_is_not_shown() {
    let secret = json!({"metadata": {"name": "a", "namespace": "istio-system", "labels": {"istio/multiCluster": "true"}},
        "data": {format!("west {SECRET}"): "YQ==", "east": "YQ=="}});
    let server = Server::start(None, move |request| {
        let answer = match request.path() {
            "/version" => json!({"gitVersion": "v1.36.3"}),
            "/api/v1/namespaces/kube-system" => json!({"metadata": {"name": "kube-system", "uid": "a"}}),
            path if path.ends_with("/secrets") => json!({"items": [secret]}),
            _ => json!({"items": []}),
        };
        Answer {
            status: 200,
            headers: String::new(),
            body: answer.to_string().into_bytes(),
        }
    });
    let inventory = answers::read(&[("a", server)]).await;
    let said = serde_json::to_string(&inventory).unwrap();
    assert!(
        said.contains("\"clusterId\":\"east\"") && !said.contains(SECRET),
        "{said}"
    );
}
