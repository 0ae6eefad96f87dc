//! `stolos link …`

use crate::error::{Error, ErrorKind, Result};
use crate::render::Terminal;

/// The verbs of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show
    Show,
}

pub async fn run(_command: Command, _terminal: &Terminal) -> Result<()> {
    Err(Error::new(ErrorKind::Bug, "not built yet"))
}
