//! `stolos lab inside …`: what a lab runs of this program; nobody types these.

use std::path::PathBuf;

use crate::error::Result;
use crate::lab;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Become the supervisor
    Supervise {
        /// The options of `unshare`
        #[arg(long, allow_hyphen_values = true)]
        namespaces: String,
        /// The lab's folder
        #[arg(long)]
        directory: PathBuf,
    },
    /// Be the first process of the lab
    Init {
        /// The lab's folder
        #[arg(long)]
        directory: PathBuf,
    },
    /// Run the lab
    Run {
        /// The lab's folder
        #[arg(long)]
        directory: PathBuf,
    },
    /// Connect stdin and stdout with a port of the loopback address
    Relay {
        /// The port
        port: u16,
    },
}

pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Supervise {
            namespaces,
            directory,
        } => match lab::supervise(&directory, &namespaces)? {},
        Command::Init { directory } => Ok(tokio::task::block_in_place(|| {
            lab::inside::initialize(&directory)
        })?),
        Command::Run { directory } => Ok(lab::inside::run(&directory).await?),
        Command::Relay { port } => Ok(lab::relay_standard_streams(port).await?),
    }
}
