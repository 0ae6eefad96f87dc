//! The real binary, each time in a home of its own, its whole output compared with a snapshot:
//! `UPDATE=1 cargo test --test cli` accepts what it prints now.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api_server;
mod clusters;
mod contexts;
mod deadlines;
mod harness;
mod help;
mod init;
mod inputs;
#[cfg(unix)]
mod install;
mod join;
#[cfg(unix)]
mod plugins;
mod status;
