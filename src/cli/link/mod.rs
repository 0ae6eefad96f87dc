//! `stolos link …`

mod list;
mod sync;

use crate::error::Result;
use crate::render::Terminal;

/// The verbs of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Sync(sync::Arguments),
    List(list::Arguments),
}

pub async fn run(command: Command, terminal: &Terminal) -> Result<()> {
    match command {
        Command::Sync(arguments) => sync::run(arguments, terminal).await,
        Command::List(arguments) => list::run(arguments, terminal).await,
    }
}
