//! Trust: certificates as facts, chains, and (in [`plan()`]) what each cluster signs with. Pure: keys
//! and signing are `host/keys`, the time comes in as an argument.

pub mod carried;
pub mod certificate;
pub mod chain;
pub mod plan;
pub mod report;
pub mod root;

pub use certificate::{Certificate, CertificateError, KeyUsage, parse_bundle};
pub use chain::{ChainError, RootSets, same_roots, verify_chain};
pub use plan::{INTERMEDIATE_DAYS, Refusal, may_make_root, plan};
pub use root::{KeyOnHand, RootOnHand};

#[cfg(test)]
mod tests;
