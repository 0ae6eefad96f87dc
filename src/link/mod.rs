//! Links: istiod in one cluster reading the API server of another, through what Istio calls a
//! remote secret. Which address a peer can dial ([`address`]), what the secret says ([`secret`]),
//! and what is to be done ([`plan()`]).

pub mod address;
mod plan;
pub mod secret;

pub use plan::{links, plan};
