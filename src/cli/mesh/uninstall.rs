//! `stolos mesh uninstall`

use crate::cli::depart::Departing;
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::ClusterName;
use crate::leave::Choice;
use crate::render::Terminal;

/// Take out of every cluster what the fleet put there; the fleet file stays as it is
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Leave clusters that do not answer as they are, and go on without them even where their primary goes
    #[arg(long)]
    forget: bool,
    #[command(flatten)]
    departing: Departing,
}

/// Takes the mesh out: links first, then control planes and what they signed with.
pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let departing = arguments.departing;
    let opened = departing.open().await?;
    let clusters = opened.file.fleet.spec.clusters.iter();
    let all = clusters.map(|cluster| cluster.name.clone()).collect();
    let choice = Choice {
        forget: arguments.forget,
        ..Choice::default()
    };
    let doing = "uninstall the mesh";
    let departure = departing.plan(doing, opened, all, choice, terminal).await?;
    let dry_run = departing.changing.dry_run;
    let departed = departing.carry_out(departure, terminal).await?;
    if dry_run {
        return departed.verdict();
    }
    let names: Vec<&str> = departed.unreachable.iter().map(ClusterName::as_str).collect();
    if departed.nobody_answered {
        let message = format!("{doing}: no cluster gave an answer, and nothing was changed");
        return Err(Error::new(ErrorKind::Unreachable, message).hint("try again when they answer"));
    }
    if names.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} gave no answer: what is in it stays as it was",
        names.join(", ")
    );
    Err(Error::new(ErrorKind::Partial, message).hint("`stolos mesh uninstall` again when it answers"))
}
