//! `stolos contexts`

use crate::error::{Error, ErrorKind, Result};
use crate::render::Terminal;

/// List the contexts of the kubeconfigs, as kubectl would read them
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub async fn run(_arguments: Arguments, _terminal: &Terminal) -> Result<()> {
    Err(Error::new(ErrorKind::Bug, "not built yet"))
}
