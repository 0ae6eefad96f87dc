//! A credential that is about to be given away, tried once by the one who gives it: whether the API
//! server that it is for takes it, at the address and with the authority that go with it.

use std::time::Duration;

use tokio::time::Instant;

use super::client::Client;
use super::probe::der_blocks;
use super::review::named_user;
use crate::connection::endpoint::{Authority, Endpoint};
use crate::host::sensitive::Sensitive;
use crate::inventory::{Failure, FailureClass};
use crate::plan::Trial;

/// How long a server may take to hear of a Secret that it has itself just stored.
const HEARING: Duration = Duration::from_secs(5);

/// Where a credential will be used, as it will be stored.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'text> {
    /// The API server's URL for peers.
    pub server: &'text str,
    /// PEM of the authority.
    pub authority: &'text str,
    /// `tls-server-name`, empty for the URL's own host.
    pub tls_server_name: &'text str,
}

/// A way on which one credential can be tried.
#[derive(Clone)]
pub struct Way(Client);

impl Way {
    /// The way to a cluster that is read by `client`, at the stored address or as the client itself goes.
    ///
    /// # Errors
    ///
    /// The address is no URL.
    pub fn of(client: &Client, stored: Stored<'_>, trial: Trial) -> Result<Self, Failure> {
        let endpoint = match trial {
            Trial::OverOwnConnection => client.shared.endpoint.clone(),
            Trial::AsStored => Endpoint {
                url: stored.server.parse().map_err(|_| {
                    let message = "it is not a URL";
                    super::failure::failure(FailureClass::Configuration, "connect", stored.server, message)
                })?,
                authority: Authority::Certificates(der_blocks(stored.authority)),
                tls_server_name: stored.tls_server_name.to_owned(),
                proxy: None,
            },
        };
        Ok(Self(client.presenting(endpoint, None)))
    }

    /// Connects, so that the trial itself takes one round trip. What fails here fails there again.
    pub async fn prepare(&self) {
        let _ = self.0.open().await;
    }

    /// Shows the token, and gives the name by which the server knows it, where it says one. A server
    /// looks tokens up in what it has heard of its Secrets, so one that has just been made may be
    /// refused for a moment.
    ///
    /// # Errors
    ///
    /// There is no such server there, or it does not take the token (class `Authentication`).
    pub async fn try_token(&self, token: &Sensitive) -> Result<String, Failure> {
        let endpoint = self.0.shared.endpoint.clone();
        let tried = self.0.presenting(endpoint, Some(token.clone()));
        let end = Instant::now() + HEARING;
        let mut pause = Duration::from_millis(20);
        loop {
            let answer = named_user(&tried).await;
            let refused = matches!(&answer, Err(failure) if failure.class == FailureClass::Authentication);
            if !refused || Instant::now() + pause >= end {
                return answer;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}
