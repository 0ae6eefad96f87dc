//! No canary is shown: some thirty secrets, wherever one can stand, in ten thousand inputs made
//! wrong (in process) and a sample of them through the binary, every command.
//!
//! In process, an input is one document made wrong: a kubeconfig, an API server's answer, a
//! Secret's kubeconfig, a plugin's output, a fleet file, a key file; what is looked at is every
//! error (as shown and as debugged), every answer as text and as JSON, every panic. Seeds are
//! fixed: a failing input is named by its seed and number and can be made again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod binary;
mod chance;
mod cluster;
mod files;
mod found;
mod known;
mod kubeconfigs;
mod mutation;
mod panics;
mod plugins;
mod reach;
mod seeds;
mod server;
mod verdict;
mod watch;
mod world;

#[test]
fn there_are_ten_thousand_inputs() {
    let others = kubeconfigs::INPUTS + answers::REMOTE + plugins::OUTPUTS + files::FLEETS + files::KEYS;
    assert!(answers::INPUTS as u64 + others >= 10_000);
}
