//! `stolos trust init`

use jiff::Timestamp;

use crate::cli::args::{Connecting, FleetArgument, Reading};
use crate::cli::carry_out::Passphrase;
use crate::cli::collecting::Scope;
use crate::cli::session::Session;
use crate::cluster::Purpose;
use crate::document::time;
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::edit;
use crate::host::fleet_file::FleetFile;
use crate::host::keys::RootStore;
use crate::render::Terminal;
use crate::trust::may_make_root;

/// Make the fleet's root on this machine, where no cluster carries one
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    file: FleetArgument,
    #[command(flatten)]
    connecting: Connecting,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let mut session = Session::of_fleet(&Reading::whole(&arguments.file, &arguments.connecting)).await?;
    // All clusters are read: any of them may carry a root.
    let inventory = session.collect(Scope::All, &[Purpose::Trust], terminal).await;
    let Some(file) = &session.file else {
        return Err(Error::new(ErrorKind::Bug, "make a root without a fleet file"));
    };
    let now = Timestamp::now();
    let store = RootStore::of(&file.fleet, file.folder(), &RootStore::default_directory()?);
    if let Err(refusal) = may_make_root(&file.fleet, &inventory, &store.inspect(now), now) {
        let kind = if refusal.unreachable {
            ErrorKind::Unreachable
        } else {
            ErrorKind::Request
        };
        let error = Error::new(kind, format!("make a root: {}", refusal.reason));
        return Err(match refusal.hint {
            Some(hint) => error.hint(hint),
            None => error,
        });
    }
    let passphrase = arguments.passphrase.get(true, terminal)?;
    let root = store.make(&file.fleet.metadata.name, passphrase.as_ref(), now)?;
    let certificate = root.certificate();
    // The root stands from here on: whatever becomes of the pin, the next `apply` uses it and pins it.
    let pinned = pin(file, &certificate.sha256);
    terminal.answer(&certificate.sha256)?;
    terminal.say(&format!(
        "the root of the fleet {} is on this machine until {}, its key {}; nothing was sent anywhere",
        file.fleet.metadata.name,
        time(certificate.not_after),
        if passphrase.is_some() {
            "encrypted"
        } else {
            "unencrypted: whoever can read this user's files can sign for the mesh"
        }
    ));
    pinned?;
    terminal.say(&format!("pinned in {}", file.path.display()));
    Ok(())
}

fn pin(file: &FleetFile, sha256: &str) -> Result<()> {
    let text = edit::set_root_pins(&file.text, &[sha256.to_owned()])?;
    file.save(&text)?;
    Ok(())
}
