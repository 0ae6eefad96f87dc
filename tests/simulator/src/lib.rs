//! A fleet of simulated Kubernetes clusters for tests and benchmarks: up to a thousand API servers
//! on loopback ports that answer what stolos asks as a kube-apiserver does, over links of a given
//! length and width, with faults that can be switched while they run, and with a record of every
//! request. That it answers truly is what `tests/faithfulness` holds against a real one.
//!
//! - [`fleet`]: starting a fleet; [`files`]: its kubeconfig and fleet file;
//!   [`certificates`]: its authority.
//! - [`cluster`]: one cluster; [`content`]: what it holds at first; [`store`], [`item`]: how
//!   objects are kept; [`resource`], [`selector`]: kinds, paths, selectors.
//! - [`server`], [`link`], [`control`]: listener, connections, and the link's length;
//!   [`fault`]: what can be wrong; [`stand_in`]: a server that stands for a real one, and can be wrong
//!   in the same ways.
//! - [`request`], [`api`], [`write`], [`apply`], [`controllers`], [`reviews`], [`discovery`], [`people`],
//!   [`answer`], [`falsehood`]: the API; [`forward`], [`istiod`]: port-forwards and what is behind them;
//!   [`audit`]: the record.

pub mod answer;
pub mod api;
pub mod apply;
pub mod audit;
pub mod certificates;
pub mod cluster;
pub mod content;
pub mod control;
pub mod controllers;
pub mod discovery;
pub mod falsehood;
pub mod fault;
pub mod files;
pub mod fleet;
pub mod forward;
pub mod istiod;
pub mod item;
pub mod link;
pub mod people;
pub mod request;
pub mod resource;
pub mod reviews;
pub mod selector;
pub mod server;
pub mod stand_in;
pub mod store;
pub mod write;

pub use audit::{Audit, Counts, Detail, Entry};
pub use certificates::Flaw;
pub use cluster::Cluster;
pub use content::Content;
pub use fault::{Fault, Plan};
pub use fleet::{Credential, Fleet, Options, SimulatorError};
pub use link::Length;
pub use stand_in::{StandIn, StandIns};
