//! How a test reaches a cluster: as a session does, from a kubeconfig to a client.

use std::time::Duration;

use stolos::cluster::Client;
use stolos::connection::credential::plugin::{PluginOptions, Plugins, Policy};
use stolos::connection::deadlines::Deadlines;
use stolos::connection::pool::Connections;
use stolos::host::kubeconfig::{Connection, ConnectionOptions, Kubeconfigs, Sources};

/// A session's plugins.
pub fn plugins() -> Plugins {
    Plugins::new(PluginOptions {
        policy: Policy::default(),
        timeout: Duration::from_secs(20),
        interactive_timeout: Duration::from_secs(1),
        concurrent: 4,
        can_ask: false,
        can_tell: false,
    })
}

/// A client over a connection.
pub fn client(connection: Connection, context: &str) -> Client {
    let deadlines = Deadlines::within(Duration::from_secs(5));
    let connections = Connections::new(deadlines);
    Client::connect(
        connection,
        &connections,
        &plugins(),
        context,
        "stolos/test",
        deadlines,
    )
}

/// A client of a server without TLS.
pub async fn connected(name: &str, url: &str) -> Client {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("config");
    let text = format!(
        "contexts: [{{name: {name}, context: {{cluster: a, user: a}}}}]\nclusters: [{{name: a, cluster: {{server: '{url}'}}}}]\n\
         users: [{{name: a, user: {{token: a}}}}]\n"
    );
    std::fs::write(&path, text).unwrap();
    let sources = Sources {
        explicit: Some(path),
        ..Sources::default()
    };
    let kubeconfigs = Kubeconfigs::from_sources(&sources).unwrap();
    let options = ConnectionOptions::default();
    client(kubeconfigs.connection(name, &options).await.unwrap(), name)
}
