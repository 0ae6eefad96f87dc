//! Throwaway clusters with real control planes on this machine: real API servers, a real etcd and
//! real istiods, in namespaces of their own, without root and without containers. Linux only;
//! [`shape`] is pure.
//!
//! ```text
//!  lab up ─► listeners on 127.0.0.1 ─► supervise (a session of its own) ─► exec unshare -Urnpm
//!                │                                                             │ kill-child
//!                └── descriptors, over stdin ──────────────────────────────►  inside: init (PID 1)
//!                                                                              └─ run: bridge, etcd,
//!      control.sock ◄── stop, start, state ──────────────────────────────────     per cluster: API
//!                                                                                 server, controllers,
//!                                                                                 kwok, relay, runner
//! ```
//!
//! Whoever kills the supervisor kills everything: the kernel ends PID 1 of the namespace with its
//! parent, and the rest with PID 1. Mounts and network go with the last process.

pub mod shape;

#[cfg(target_os = "linux")]
mod api;
#[cfg(target_os = "linux")]
mod arguments;
#[cfg(target_os = "linux")]
mod certificates;
#[cfg(target_os = "linux")]
mod control;
#[cfg(target_os = "linux")]
mod down;
#[cfg(target_os = "linux")]
mod enter;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod gateway_api;
#[cfg(target_os = "linux")]
pub mod inside;
#[cfg(target_os = "linux")]
mod listeners;
#[cfg(target_os = "linux")]
pub mod parts;
#[cfg(target_os = "linux")]
mod programs;
#[cfg(target_os = "linux")]
mod record;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod supervisor;
#[cfg(target_os = "linux")]
mod up;

#[cfg(target_os = "linux")]
pub use control::{start, states, stop};
#[cfg(target_os = "linux")]
pub use down::down;
#[cfg(target_os = "linux")]
pub use enter::{enter, environment};
#[cfg(target_os = "linux")]
pub use error::LabError;
#[cfg(target_os = "linux")]
pub use gateway_api::define_gateway_api;
#[cfg(target_os = "linux")]
pub use inside::relay::relay_standard_streams;
#[cfg(target_os = "linux")]
pub use record::{Cluster, ClusterState, Lab, LabState, find, list};
#[cfg(target_os = "linux")]
pub use supervisor::supervise;
#[cfg(target_os = "linux")]
pub use up::{Event, UpRequest, up};
