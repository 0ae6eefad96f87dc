//! The simulator's own rules, where holding it against a real API server (`tests/faithfulness`)
//! cannot show them: links, faults, scale, and that the tool finds its meshes in good health.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod applied;
mod approved;
mod client;
mod faults;
mod flapping;
mod links;
mod permits;
mod used;
mod whole;

use simulator::{Fleet, Options};

/// A fleet, and a runtime for whoever asks it.
fn fleet(options: Options) -> (Fleet, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    (Fleet::start(options).unwrap(), runtime)
}
