//! How one API server is reached: where it is and what proves it ([`endpoint`]), what is shown to
//! it ([`credential`]), and how a stream of bytes to it is made ([`dial`]).

pub mod credential;
pub mod dial;
pub mod endpoint;
pub mod permit;

mod client_certificate;
mod proxy;
mod tcp;
mod tls;
mod trouble;
mod verify;
mod watched;
