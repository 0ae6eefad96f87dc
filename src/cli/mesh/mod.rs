//! `stolos mesh …`

mod install;
mod models;
mod show;
mod uninstall;
mod upgrade;

use crate::error::Result;
use crate::render::Terminal;

/// The verbs of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Install Istio where the fleet file wants it, with the intermediates that it signs with
    Install(Box<super::apply::WholeWork>),
    Uninstall(Box<uninstall::Arguments>),
    Upgrade(upgrade::Arguments),
    Show(Box<show::Arguments>),
    /// List which deployment models, networks, data planes and versions go together
    Models(models::Arguments),
}

pub async fn run(command: Command, terminal: &Terminal) -> Result<()> {
    match command {
        Command::Install(arguments) => install::run(*arguments, terminal).await,
        Command::Uninstall(arguments) => uninstall::run(*arguments, terminal).await,
        Command::Upgrade(arguments) => upgrade::run(&arguments, terminal),
        Command::Show(arguments) => show::run(*arguments, terminal).await,
        Command::Models(arguments) => models::run(&arguments, terminal),
    }
}
