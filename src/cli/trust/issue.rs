//! `stolos trust issue`: what `apply` does, of trust alone.

use crate::cli::apply::{self, Arguments};
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    apply::areas(&[Area::Trust], arguments, terminal).await
}
