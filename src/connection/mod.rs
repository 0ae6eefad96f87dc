//! How one API server is reached:
//!
//! - [`endpoint`]: where it is and what proves it; [`credential`]: what is shown to it
//! - [`pool`]: who shares the way to it; [`channel`]: that way, one HTTP/2 connection
//! - [`dial`]: how a stream of bytes to it is made; [`permit`]: how many there may be at once
//! - [`deadlines`] and [`usage`]: how long it may take, and what it costs
//! - [`broken`]: why there is no answer, and how far the request got

pub mod answer;
pub mod broken;
pub mod channel;
pub mod credential;
pub mod deadlines;
pub mod dial;
pub mod endpoint;
pub mod permit;
pub mod pool;
pub mod usage;

pub(crate) mod protocol;

mod client_certificate;
mod proxy;
mod tcp;
mod tls;
pub(crate) mod trouble;
mod verify;
mod watched;

#[cfg(test)]
mod channel_tests;
#[cfg(test)]
pub(crate) mod server_tests;
