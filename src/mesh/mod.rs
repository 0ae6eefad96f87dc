//! Istio itself in each cluster, and its east-west gateway: what to ask Istio's own renderer for
//! ([`values`]), what is made of its answer ([`objects`]), what is refused ([`guard`]), and what is to
//! be done ([`plan()`]).

pub mod guard;
pub mod objects;
mod plan;
pub mod values;

pub use plan::{istiod_name, plan};
pub use values::{RenderRequest, render_requests};
