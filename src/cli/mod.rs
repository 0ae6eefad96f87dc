//! The command line: the only module that knows clap. One folder a group, one file a verb: the
//! tree is the help. A verb's file holds its arguments and `run`, nothing else.

pub mod args;
pub mod collecting;
pub mod planning;
mod propose;
pub mod session;

mod access;
mod apply;
mod carry_out;
mod clusters;
mod completion;
mod contexts;
mod depart;
mod early;
mod explain;
mod hints;
mod init;
mod join;
mod lab;
mod leave;
mod link;
mod man;
mod mesh;
mod plan;
mod status;
mod trust;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::connection::credential::plugin::interrupted;
use crate::error::{Error, ErrorKind, Result};
use crate::render::Terminal;

/// One Istio mesh across several Kubernetes clusters: plan it, apply it, see its true state, take
/// it back
#[derive(Debug, Parser)]
#[command(
    name = "stolos",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Arguments {
    #[command(flatten)]
    everywhere: args::Everywhere,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Contexts(contexts::Arguments),
    Init(init::Arguments),
    Join(join::Arguments),
    Leave(leave::Arguments),
    Clusters(clusters::Arguments),
    Plan(plan::Arguments),
    Apply(apply::Arguments),
    Status(status::Arguments),
    Explain(explain::Arguments),
    /// Manage the root of trust and each cluster's intermediate
    #[command(subcommand)]
    Trust(trust::Command),
    /// Manage Istio itself in the fleet's clusters
    #[command(subcommand)]
    Mesh(mesh::Command),
    /// Manage the links by which each istiod reads the other clusters (Istio's remote secrets)
    #[command(subcommand)]
    Link(link::Command),
    /// Manage throwaway clusters with real control planes on this machine (Linux)
    #[command(subcommand)]
    Lab(lab::Command),
    Completion(completion::Arguments),
    Man(man::Arguments),
}

/// The command line's whole description, for completions and man pages.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs one command line and gives the process's exit code.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let parsed = match Arguments::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches))
    {
        Ok(parsed) => parsed,
        Err(error) => return Terminal::plain().usage(&error.render().to_string(), error.use_stderr()),
    };
    let terminal = Terminal::new(&parsed.everywhere.style());
    match run(parsed, &terminal) {
        Ok(()) => 0,
        Err(error) => {
            terminal.fail(&error);
            error.kind.exit_code()
        }
    }
}

fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    // The lab's supervisor and its inside processes start their own runtimes, or none.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Bug, format!("start the asynchronous runtime: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            result = dispatch(arguments.command, terminal) => result,
            // Where a command does not say more of it.
            kind = interrupted() => Err(Error::new(kind, "interrupted")),
        }
    });
    runtime.shutdown_background();
    result
}

async fn dispatch(command: Command, terminal: &Terminal) -> Result<()> {
    match command {
        Command::Contexts(arguments) => contexts::run(arguments, terminal).await,
        Command::Init(arguments) => init::run(arguments, terminal).await,
        Command::Join(arguments) => join::run(arguments, terminal).await,
        Command::Leave(arguments) => leave::run(arguments, terminal).await,
        Command::Clusters(arguments) => clusters::run(arguments, terminal).await,
        Command::Plan(arguments) => plan::run(arguments, terminal).await,
        Command::Apply(arguments) => apply::run(arguments, terminal).await,
        Command::Status(arguments) => status::run(arguments, terminal).await,
        Command::Explain(arguments) => explain::run(arguments, terminal).await,
        Command::Trust(command) => trust::run(command, terminal).await,
        Command::Mesh(command) => mesh::run(command, terminal).await,
        Command::Link(command) => link::run(command, terminal).await,
        Command::Lab(command) => lab::run(command, terminal).await,
        Command::Completion(arguments) => completion::run(arguments, terminal).await,
        Command::Man(arguments) => man::run(arguments, terminal).await,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_described_without_contradictions() {
        super::command().debug_assert();
    }
}
