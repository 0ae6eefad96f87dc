//! `stolos mesh …`

mod install;

use crate::error::Result;
use crate::render::Terminal;

/// The verbs of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Install Istio where the fleet file wants it, with the intermediates that it signs with
    Install(super::apply::Arguments),
}

pub async fn run(command: Command, terminal: &Terminal) -> Result<()> {
    match command {
        Command::Install(arguments) => install::run(arguments, terminal).await,
    }
}
