//! `stolos status`

use jiff::Timestamp;

use super::args::{OutputArguments, Reading};
use super::session::Session;
use crate::document::{Document, DocumentError};
use crate::error::{Error, ErrorKind, Result};
use crate::host::fleet_file::FleetFile;
use crate::host::keys::RootStore;
use crate::render::status::{self as view, Look};
use crate::render::{Format, Terminal};
use crate::status::{self, StatusReport};
use crate::trust::RootOnHand;

/// Report the true state of the mesh, read-only, with or without a fleet file
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: OutputArguments,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let document = read(&arguments.reading, terminal).await?;
    match arguments.output.output {
        format @ (Format::Table | Format::Wide) => {
            let look = Look {
                wide: format == Format::Wide,
                colored: terminal.is_colored(),
            };
            terminal.answer(&view::report(document.body(), look))?;
        }
        format @ (Format::Json | Format::Yaml) => terminal.document(format, &document)?,
    }
    exit(document.body().failure())
}

/// Reads the clusters that the flags name, and reports.
pub async fn read(reading: &Reading, terminal: &Terminal) -> Result<Document<StatusReport>> {
    let mut session = Session::of_any(reading).await?;
    let inventory = session.collect(true, terminal).await;
    // The whole fleet, though only the selected clusters were read: the others are no strangers.
    let fleet = session.file.as_ref().map(|file| &file.fleet);
    let root = session.file.as_ref().map(root_on_hand).transpose()?;
    let report = status::report(&inventory, fleet, root.as_ref(), Timestamp::now());
    Ok(Document::new(&session.run, DocumentError::of(&inventory), report))
}

fn root_on_hand(file: &FleetFile) -> Result<RootOnHand> {
    let store = RootStore::of(&file.fleet, file.folder(), &RootStore::default_directory()?);
    Ok(store.inspect(Timestamp::now()))
}

/// The exit code of a report that was printed.
pub fn exit(failure: Option<ErrorKind>) -> Result<()> {
    failure.map_or(Ok(()), |kind| Err(Error::already_said(kind)))
}
