//! `stolos leave`

use crate::error::{Error, ErrorKind, Result};
use crate::render::Terminal;

/// Unlink clusters everywhere, then take out what the fleet put there
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub async fn run(_arguments: Arguments, _terminal: &Terminal) -> Result<()> {
    Err(Error::new(ErrorKind::Bug, "not built yet"))
}
