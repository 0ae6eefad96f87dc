//! `stolos lab down`

use super::Which;
use crate::error::Result;
use crate::lab::{self, LabError};
use crate::render::Terminal;

/// Take a lab down: end its processes and remove its files
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Every lab of this user on this machine
    #[arg(long, conflicts_with = "name")]
    all: bool,
}

pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    if arguments.all {
        let labs = lab::list()?;
        if labs.is_empty() {
            terminal.say("there is no lab");
        }
        for lab in labs {
            lab::down(&lab.name)?;
            terminal.say(&format!("lab {} is down", lab.name));
        }
        return Ok(());
    }
    let name = &arguments.which.name;
    if lab::down(name)? {
        terminal.say(&format!("lab {name} is down"));
        return Ok(());
    }
    let known: Vec<String> = lab::list()?.iter().map(|lab| lab.name.to_string()).collect();
    if known.is_empty() {
        // Whoever takes everything down again has what was asked for.
        terminal.say(&format!("there is no lab named {name}"));
        return Ok(());
    }
    Err(LabError::NoSuchLab {
        name: name.to_string(),
        known,
    }
    .into())
}
