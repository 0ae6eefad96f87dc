//! `stolos completion`

use clap::Args;
use clap_complete::{Shell, generate};

use crate::error::Result;
use crate::render::Terminal;

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    terminal.answer(&script(arguments.shell))
}

/// A shell's completion script.
pub fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    generate(shell, &mut super::command(), "stolos", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
