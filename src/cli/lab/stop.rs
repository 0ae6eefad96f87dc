//! `stolos lab stop`

use crate::error::Result;
use crate::lab;
use crate::render::Terminal;

/// Switch a cluster of a lab off, as if its machines had lost power: connections are refused
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The cluster's context
    #[arg(value_name = "CONTEXT")]
    context: String,
}

pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    lab::stop(&arguments.context)?;
    terminal.say(&format!("{} is off", arguments.context));
    Ok(())
}
