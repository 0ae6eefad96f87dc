//! `stolos lab parts`

use super::up::Teller;
use crate::error::Result;
use crate::lab::parts::{Part, resolve, together};
use crate::render::Terminal;

/// Find or build the programs that a lab runs, and print the directory that holds them
#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub fn run(_arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let teller = Teller::new(terminal);
    let resolved = resolve(&Part::ALL, &|event| teller.tell_part(event))?;
    terminal.answer(&together(&resolved)?.to_string_lossy())
}
