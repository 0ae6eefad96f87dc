//! The real programs that a lab runs: which, in which version, and how each is had: found on this
//! machine, or built once from pinned Go modules that this program carries.

mod build;
mod gateway_api;
mod pins;
mod resolve;

pub use gateway_api::gateway_api;
pub use pins::Part;
pub use resolve::{Resolved, link, resolve, together};

use std::path::PathBuf;
use std::time::Duration;

/// What happens while parts are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Another process builds the same: its end is awaited.
    Waiting {
        /// What is built.
        what: String,
    },
    /// A module's build starts.
    Building {
        /// The module and its version.
        what: String,
        /// The programs that are made.
        parts: Vec<&'static str>,
    },
    /// `go` compiled, or fetched, something more.
    Progress {
        /// The packages that were compiled so far.
        packages: usize,
        /// What `go` works on.
        now: String,
    },
    /// A module's build ended well.
    Built {
        /// The module and its version.
        what: String,
        /// How long it took.
        took: Duration,
        /// Where the programs are kept.
        directory: PathBuf,
    },
}
