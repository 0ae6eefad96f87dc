//! How the clusters of one run are reached: one set of connections and one of plugins for all of
//! them, and what the flags say.

use crate::cluster::Client;
use crate::connection::credential::plugin::Plugins;
use crate::connection::deadlines::Deadlines;
use crate::connection::pool::Connections;
use crate::document::Run;
use crate::host::kubeconfig::{ConnectionOptions, Kubeconfigs};
use crate::inventory::{Failure, FailureClass};

use super::args::Connecting;

/// How the clusters of one run are reached.
pub struct Access {
    connections: Connections,
    plugins: Plugins,
    options: ConnectionOptions,
    deadlines: Deadlines,
    agent: String,
}

impl Access {
    /// As the flags say.
    pub fn new(connecting: &Connecting, run: &Run) -> Self {
        let deadlines = connecting.deadlines();
        Self {
            connections: Connections::new(deadlines),
            plugins: connecting.plugins(),
            options: ConnectionOptions {
                impersonate: connecting.impersonate.clone(),
                impersonate_groups: connecting.impersonate_group.clone(),
            },
            deadlines,
            agent: format!("stolos/{} (run {})", env!("CARGO_PKG_VERSION"), run.id),
        }
    }

    /// A client of a context's cluster. Nothing is sent yet, and no plugin run.
    ///
    /// # Errors
    ///
    /// Class `Configuration`: the kubeconfig does not say how to reach it.
    pub async fn client(&self, kubeconfigs: &Kubeconfigs, context: &str) -> Result<Client, Failure> {
        let connection = kubeconfigs
            .connection(context, &self.options)
            .await
            .map_err(|error| configuration(error.to_string()))?;
        Ok(Client::connect(
            connection,
            &self.connections,
            &self.plugins,
            context,
            &self.agent,
            self.deadlines,
        ))
    }
}

/// Why a kubeconfig gives no connection.
pub fn configuration(message: String) -> Failure {
    Failure {
        class: FailureClass::Configuration,
        verb: "connect".to_owned(),
        resource: "the cluster".to_owned(),
        message,
    }
}
