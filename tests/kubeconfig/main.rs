//! Kubeconfigs are read as kubectl reads them: thousands of generated lists of files, each given to a
//! real `kubectl config view --raw -o json` and to the reader; the same ones are accepted, and the
//! merged results are the same. Beside that, bytes without number are read without a panic, without a
//! limit being passed and without a word of them in an error.
//!
//! `STOLOS_KUBECONFIG_LISTS` is how many lists are compared, `STOLOS_KUBECONFIG_SEED` where they
//! start, `STOLOS_KUBECONFIG_FUZZ` how many files are read. kubectl is the one of the lab's parts
//! (`STOLOS_LAB_ASSETS`, else built); without it the test fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_macros, reason = "a comparison says how much it compared")]

mod bytes;
mod differential;
mod fuzz;
mod grammar;
mod lists;
mod random;
mod render;
mod words;

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number")),
        Err(_) => otherwise,
    }
}
