//! `stolos trust …`

mod init;
mod issue;
mod show;

use crate::error::Result;
use crate::render::Terminal;

/// The verbs of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Init(init::Arguments),
    Issue(issue::Arguments),
    Show(show::Arguments),
}

pub async fn run(command: Command, terminal: &Terminal) -> Result<()> {
    match command {
        Command::Init(arguments) => init::run(arguments, terminal).await,
        Command::Issue(arguments) => issue::run(arguments, terminal).await,
        Command::Show(arguments) => show::run(arguments, terminal).await,
    }
}
