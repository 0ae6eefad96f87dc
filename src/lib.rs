//! **stolos** plans, applies, verifies and takes back one Istio mesh across several Kubernetes
//! clusters. Intent and observation go in as data, a plan comes out as data, and only then does
//! anything happen:
//!
//! ```text
//!  fleet file ──► fleet ──┐
//!                         ├──► <domain>::plan ──► plan ──► confirm ──► apply ──► events ──► render
//!  clusters ──► inventory ┘        (pure)                             (world)
//!               (collect)                     └──► status: inventory ──► report ──► render
//! ```
//!
//! # The map, in reading order
//!
//! What the tool knows: pure. No network, clock, files, randomness, terminal.
//!
//! - [`error`]: kinds, hints, exit codes
//! - [`yaml`]: all YAML passes here
//! - [`document`]: the envelope of every JSON and YAML answer; [`words`]: names and numbers in sentences
//! - [`fleet`]: names, the fleet file's shape, topology
//! - [`inventory`]: what was seen, per cluster
//! - [`plan`]: a plan as data; drift; ownership
//! - [`trust`], [`mesh`], [`link`]: one folder a domain, each with its planner
//! - [`reconcile`]: every domain's plan, put together; [`leave`]: how a cluster goes
//! - [`status`]: inventory → report and findings
//!
//! The world:
//!
//! - [`cluster`]: the Kubernetes API: connect, collect, write, wait, probe
//! - [`connection`]: how one API server is reached: credentials, TLS, HTTP/2, deadlines
//! - [`host`]: this machine: kubeconfig, paths, the fleet file, istioctl, keys
//! - [`lab`]: throwaway clusters (Linux only)
//! - [`apply`]: runs a plan, makes no choices, emits events
//!
//! The surface:
//!
//! - [`render`]: the only module that prints or asks
//! - [`cli`]: the only module that knows clap; the tree is the help
//!
//! # Invariants (`tests/tidy.rs` holds the textual ones)
//!
//! - A pure module names neither kube, tokio, clap, files, clocks nor randomness, nor a module of
//!   the world or the surface.
//! - A plan leaves nothing to decide: if [`apply`] needs an `if` about the mesh, the planner was lazy.
//! - No key and no token is in an inventory, a plan, a report, an event or an error.
//! - Only [`render`] writes to stdout or stderr or asks a question; only `main.rs` ends the process.
//! - Nothing that changes a cluster can be called without an [`apply::Confirmed`].
//! - Collecting never fails as a whole: half an answer is an answer, with what is missing.
//! - A report says whose word a fact is, and never merges two words into one.

pub mod apply;
pub mod cli;
pub mod cluster;
pub mod connection;
pub mod document;
pub mod error;
pub mod fleet;
pub mod host;
pub mod inventory;
pub mod lab;
pub mod leave;
pub mod link;
pub mod mesh;
pub mod plan;
pub mod reconcile;
pub mod render;
pub mod status;
pub mod trust;
pub mod words;
pub mod yaml;
