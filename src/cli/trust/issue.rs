//! `stolos trust issue`

use crate::cli::apply;
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

/// Issue the intermediates that are missing, broken or about to end
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    apply: apply::Arguments,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    apply::areas(&[Area::Trust], arguments.apply, terminal).await
}
