//! The Kubernetes API, one cluster at a time: connect, collect (→ inventory), write, wait, probe.
//! `kube` is known here, and in the lab; nothing of it leaves here: an error becomes a
//! [`Failure`](crate::inventory::Failure) with a class, an object a JSON value.

mod adopt;
mod client;
mod collect;
mod contents;
mod failure;
mod forward;
mod identity;
mod istiod;
mod keep;
mod lists;
mod objects;
mod pause;
mod pipeline;
mod probe;
mod public;
mod read;
mod request;
mod review;
mod reviews;
mod secrets;
mod trial;
mod underway;
mod upgrade;
mod wait;
#[cfg(test)]
mod wait_tests;
mod watch;
mod write;

#[cfg(test)]
pub(crate) mod client_tests;
#[cfg(test)]
mod refused_tests;
#[cfg(test)]
mod write_tests;

pub use client::Client;
pub use collect::{CollectRequest, Collecting, Ended};
pub use contents::{custom_resources, namespace_contents};
pub use forward::forwarded_get;
pub use identity::{Identity, identify};
pub use lists::Purpose;
pub use objects::{ListSelector, WriteOptions};
pub use probe::probe;
pub use review::{acting_user, review};
pub use secrets::kubeconfig_facts;
pub use trial::{Stored, Way};
pub use wait::{LastWord, WaitError, Watching, wait};
