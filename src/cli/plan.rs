//! `stolos plan`

use crate::error::{Error, ErrorKind, Result};
use crate::render::Terminal;

/// Show what `apply` would do
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub async fn run(_arguments: Arguments, _terminal: &Terminal) -> Result<()> {
    Err(Error::new(ErrorKind::Bug, "not built yet"))
}
