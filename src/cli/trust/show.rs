//! `stolos trust show`

use jiff::Timestamp;

use crate::cli::args::{OutputArguments, Reading};
use crate::cli::collecting::Scope;
use crate::cli::hints;
use crate::cli::session::Session;
use crate::cluster::Purpose;
use crate::document::{Document, DocumentError};
use crate::error::{Error, ErrorKind, Result};
use crate::host::keys::RootStore;
use crate::render::{Format, Terminal, trust};
use crate::trust::report::report;

/// Show what each control plane signs with, with or without a fleet file
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: OutputArguments,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let mut session = Session::of_any(&arguments.reading).await?;
    let inventory = session
        .collect(Scope::Selected, &[Purpose::TrustReport], terminal)
        .await;
    let now = Timestamp::now();
    let fleet = session.selected_fleet();
    let on_hand = match &session.file {
        Some(file) => {
            let store = RootStore::of(&file.fleet, file.folder(), &RootStore::default_directory()?);
            Some(store.inspect(now))
        }
        None => None,
    };
    let report = report(fleet.as_ref(), &inventory, on_hand.as_ref(), now);
    let errors = DocumentError::of(&inventory);
    match arguments.output.output {
        Format::Table | Format::Wide => {
            terminal.answer(&trust::text(&report))?;
            let failures = errors.iter().filter_map(|error| {
                let context = session.context_of(&error.cluster)?;
                Some((context, error.class, error.message.as_str()))
            });
            hints::say(failures, terminal);
        }
        format @ (Format::Json | Format::Yaml) => {
            terminal.document(format, &Document::new(&session.run, errors, report))?;
        }
    }
    let unreachable = inventory.unreachable().count();
    let unread = inventory
        .all_seen()
        .any(|(_, cluster)| !cluster.unread.is_empty());
    if unreachable > 0 && unreachable == inventory.clusters.len() {
        Err(Error::already_said(ErrorKind::Unreachable))
    } else if unreachable > 0 || unread {
        Err(Error::already_said(ErrorKind::Partial))
    } else {
        Ok(())
    }
}
