//! `stolos link sync`

use crate::cli::apply::{self, Task, Work};
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

/// Make the links what the fleet file says, and await istiod's own synchronisation
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Do not wait until istiod reads the others; each credential is tried at its API server all the same
    #[arg(long, help_heading = "Changing")]
    no_wait: bool,
    #[command(flatten)]
    work: Work,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let task = Task {
        areas: &[Area::Links],
        no_wait: arguments.no_wait,
        ..Task::default()
    };
    apply::some(arguments.work, task, terminal).await
}
