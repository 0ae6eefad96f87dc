//! `stolos lab start`

use std::time::Instant;

use crate::error::Result;
use crate::lab;
use crate::render::Terminal;

/// Switch a cluster of a lab on again, and wait until it is ready
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The cluster's context
    #[arg(value_name = "CONTEXT")]
    context: String,
}

pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let started = Instant::now();
    lab::start(&arguments.context)?;
    terminal.say(&format!(
        "{} is ready after {:.1} s",
        arguments.context,
        started.elapsed().as_secs_f64()
    ));
    Ok(())
}
