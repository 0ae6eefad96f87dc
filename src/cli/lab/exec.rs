//! `stolos lab exec`

use std::ffi::OsString;

use super::Which;
use crate::error::Result;
use crate::lab;

/// Run a program where a lab's addresses can be reached, with the lab's environment
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// The program and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    command: Vec<OsString>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let lab = lab::find(&arguments.which.name)?;
    match lab::enter(&lab, &arguments.command)? {}
}
