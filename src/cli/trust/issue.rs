//! `stolos trust issue`: what `apply` does, of trust alone.

use crate::cli::apply::{self, Work};
use crate::cli::carry_out::Passphrase;
use crate::cli::plan::IstioctlArgument;
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

/// Issue the intermediates that are missing, broken or about to end
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    passphrase: Passphrase,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let istioctl = IstioctlArgument::default();
    apply::some(
        &[Area::Trust],
        arguments.work,
        &arguments.passphrase,
        istioctl,
        true,
        terminal,
    )
    .await
}
