//! `stolos apply`

use super::args::{Changing, OutputArguments, Reading};
use super::carry_out::{self, Passphrase};
use super::plan::IstioctlArgument;
use super::planning::{self, PlanRequest};
use super::session::Session;
use crate::error::Result;
use crate::fleet::Area;
use crate::render::Terminal;

/// Make the clusters what the fleet file says: trust, mesh and links
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    changing: Changing,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    istioctl: IstioctlArgument,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: OutputArguments,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    areas(&Area::ALL, arguments, terminal).await
}

/// Applies some of the fleet's work: what `mesh install` and `link sync` are.
pub async fn areas(areas: &[Area], arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let mut session = Session::of_fleet(&arguments.reading).await?;
    let request = PlanRequest {
        areas,
        clusters: session.writable(&arguments.changing.cluster)?,
        istioctl: arguments.istioctl.istioctl,
    };
    let planned = planning::plan(&mut session, &request, terminal).await?;
    carry_out::carry_out(
        &session,
        planned,
        &arguments.changing,
        &arguments.passphrase,
        arguments.output.output,
        terminal,
    )
    .await
}
