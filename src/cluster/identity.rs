//! Which cluster a connection reaches: two requests, for those who need no more than that.

use tokio::time::Instant;

use super::client::Client;
use super::failure::failure;
use crate::inventory::{Failure, FailureClass};

/// Which cluster answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The UID of its `kube-system` namespace, or why it is not known.
    pub uid: Result<String, Failure>,
    /// `gitVersion` of `/version`.
    pub kubernetes_version: String,
}

/// Asks a cluster which one it is.
///
/// # Errors
/// It does not answer, or is no Kubernetes API server.
pub async fn identify(client: &Client) -> Result<Identity, Failure> {
    // A plugin may have somebody log in: that is not the cluster's time.
    client.open().await?;
    let client = client.until(Instant::now() + client.request_timeout());
    let (version, namespace) = tokio::join!(
        client.get("/version", "version"),
        client.get("/api/v1/namespaces/kube-system", "namespace kube-system")
    );
    let version = version?;
    let uid = match namespace {
        Ok(namespace) => Ok(namespace["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned()),
        Err(refused) if refused.class == FailureClass::Permission => Err(refused),
        Err(failure) => return Err(failure),
    };
    match version["gitVersion"].as_str() {
        Some(version) => Ok(Identity {
            uid,
            kubernetes_version: version.to_owned(),
        }),
        None => {
            let message = "what answers is not a Kubernetes API server";
            Err(failure(FailureClass::NotKubernetes, "get", "version", message))
        }
    }
}

impl Identity {
    /// Refuses a cluster that is not the one that the fleet file pins. One that does not show its
    /// identity may still be read; it is not written (`cli::planning::refuse_unproven`).
    ///
    /// # Errors
    /// It is another one.
    pub fn check(&self, pinned: Option<&str>, server: &str) -> Result<(), Failure> {
        match (pinned, &self.uid) {
            (Some(pinned), Ok(uid)) if !uid.is_empty() && pinned != uid => {
                let message = format!(
                    "the fleet file pins the cluster whose kube-system namespace has the UID {pinned}, and this \
                     context reaches the one with {uid}"
                );
                Err(failure(FailureClass::Identity, "connect", server, message))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::cluster::client_tests::{connect, endpoint};
    use crate::connection::credential::Bearer;
    use crate::connection::credential::plugin::{
        ApiVersion, InteractiveMode, Plugin, PluginOptions, Plugins, Policy,
    };
    use crate::connection::deadlines::Deadlines;
    use crate::connection::pool::Connections;
    use crate::connection::server_tests::{Reply, Server, Speaks};

    #[tokio::test]
    async fn a_connection_that_is_reset_while_it_is_made_is_made_once_more() {
        let server = Server::of_requests(Speaks::Http2, |_| {
            Reply::json(&serde_json::json!({"gitVersion": "v1", "metadata": {"uid": "u"}}))
        })
        .await;
        let real = server.url.trim_start_matches("https://").to_owned();
        // What stands before it lets every other connection through.
        let front = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", front.local_addr().unwrap());
        tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = front.accept().await.unwrap();
                if number % 2 == 0 {
                    stream.set_zero_linger().unwrap();
                    continue;
                }
                let mut there = tokio::net::TcpStream::connect(&real).await.unwrap();
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut stream, &mut there).await });
            }
        });
        let client = connect(
            endpoint(&url, server.authority.clone()),
            Deadlines::within(Duration::from_secs(10)),
        );
        let identity = identify(&client).await.unwrap();
        assert_eq!(identity.uid.as_deref(), Ok("u"));
        assert_eq!(server.accepted(), 1);
    }

    #[tokio::test]
    async fn a_login_that_takes_longer_than_a_request_may_spoils_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("login");
        std::fs::write(
            &program,
            "#!/bin/sh\nsleep 3\nprintf '{\"kind\":\"ExecCredential\",\"apiVersion\":\
             \"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t\"}}'\n",
        )
        .unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let server = Server::of_requests(Speaks::Http2, |request| {
            assert_eq!(request.headers()["authorization"], "Bearer t");
            let answer = "{\"gitVersion\": \"v1\", \"metadata\": {\"uid\": \"u\"}}";
            Reply::Answer(200, answer.to_owned(), Vec::new())
        })
        .await;
        let mut connection = endpoint(&server.url, server.authority.clone());
        connection.source.bearer = Bearer::Plugin(Arc::new(Plugin {
            api_version: ApiVersion::V1,
            command: program.to_str().unwrap().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            interactive_mode: InteractiveMode::Never,
            install_hint: String::new(),
            cluster: None,
        }));
        let plugins = Plugins::new(PluginOptions {
            policy: Policy::All,
            timeout: Duration::from_secs(60),
            interactive_timeout: Duration::from_secs(60),
            concurrent: 1,
            can_ask: false,
            can_tell: false,
        });
        let deadlines = Deadlines::within(Duration::from_secs(2));
        let connections = Connections::new(deadlines);
        let client = Client::connect(connection, &connections, &plugins, "c", "test", deadlines);
        let identity = identify(&client).await.unwrap();
        assert_eq!(identity.uid.as_deref(), Ok("u"));
    }
}
