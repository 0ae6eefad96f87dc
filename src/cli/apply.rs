//! `stolos apply`

use super::args::{Changing, ClusterArgument, OutputArguments, Reading};
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
    work: Work,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    istioctl: IstioctlArgument,
}

/// Flags of everything that makes clusters what the fleet file says.
#[derive(Debug, clap::Args)]
pub struct Work {
    #[command(flatten)]
    cluster: ClusterArgument,
    #[command(flatten)]
    changing: Changing,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: OutputArguments,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    areas(&Area::ALL, arguments, terminal).await
}

/// Applies some of the fleet's work, as `mesh install` does.
pub async fn areas(areas: &[Area], arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let (passphrase, istioctl) = (arguments.passphrase, arguments.istioctl);
    some(areas, arguments.work, &passphrase, istioctl, true, terminal).await
}

/// Applies some of the fleet's work, with the flags that it has.
pub async fn some(
    areas: &[Area],
    work: Work,
    passphrase: &Passphrase,
    istioctl: IstioctlArgument,
    awaits_istiod: bool,
    terminal: &Terminal,
) -> Result<()> {
    let mut session = Session::of_fleet(&work.reading).await?;
    let request = PlanRequest {
        areas,
        clusters: session.writable(&work.cluster.cluster)?,
        istioctl: istioctl.istioctl,
        awaits_istiod,
        changes: !work.changing.dry_run,
    };
    let planned = planning::plan(&mut session, &request, terminal).await?;
    let format = work.output.output;
    carry_out::carry_out(&session, planned, &work.changing, passphrase, format, terminal).await
}
