//! `stolos link …`

mod list;

use crate::error::Result;
use crate::render::Terminal;

/// The verbs of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    List(list::Arguments),
}

pub async fn run(command: Command, terminal: &Terminal) -> Result<()> {
    match command {
        Command::List(arguments) => list::run(arguments, terminal).await,
    }
}
