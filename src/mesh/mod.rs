//! Istio itself in each cluster, and its east-west gateway: what to ask Istio's own renderer for
//! ([`values`]), what is made of its answer ([`objects`]), where a remote finds its
//! istiod ([`discovery`]), what is refused ([`guard`]), and what is to
//! be done ([`plan()`]).

pub mod discovery;
pub mod guard;
pub mod inputs;
pub mod objects;
mod plan;
pub mod values;

pub use objects::{istiod_deployment, istiod_of_revision};
pub use plan::{given_back, plan, unserved, without_configuration};
pub use values::{RenderRequest, render_requests};
