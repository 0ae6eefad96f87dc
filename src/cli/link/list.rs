//! `stolos link list`

use crate::cli::args::{OutputArguments, Reading};
use crate::cli::status;
use crate::error::Result;
use crate::render::status::{self as view, Look};
use crate::render::{Format, Terminal};
use crate::status::StatusReport;

/// List the links with their states, read-only, with or without a fleet file
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: OutputArguments,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let document = status::read(&arguments.reading, terminal).await?;
    let failure = document.body().links_failure();
    match arguments.output.output {
        format @ (Format::Table | Format::Wide) => {
            let look = Look {
                wide: format == Format::Wide,
                colored: terminal.is_colored(),
            };
            terminal.answer(&view::links(&document.body().links, look))?;
            status::say_hints(&document, terminal);
        }
        format @ (Format::Json | Format::Yaml) => {
            terminal.document(format, &document.map(StatusReport::link_list))?;
        }
    }
    status::exit(failure)
}
