//! `stolos trust issue`: what `apply` does, of trust alone.

use crate::cli::apply::{self, Task, Work};
use crate::cli::carry_out::Passphrase;
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

/// Issue the intermediates that are missing, broken or about to end
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    passphrase: Passphrase,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let task = Task {
        areas: &[Area::Trust],
        passphrase: arguments.passphrase,
        ..Task::default()
    };
    apply::some(arguments.work, task, terminal).await
}
