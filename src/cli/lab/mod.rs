//! `stolos lab …`

#[cfg(target_os = "linux")]
mod demo;
#[cfg(target_os = "linux")]
mod down;
#[cfg(target_os = "linux")]
mod env;
#[cfg(target_os = "linux")]
mod exec;
#[cfg(target_os = "linux")]
mod fleet;
#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod list;
#[cfg(target_os = "linux")]
mod parts;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod stop;
#[cfg(target_os = "linux")]
mod up;

use crate::error::Result;
#[cfg(target_os = "linux")]
use crate::lab::shape::LabName;
use crate::render::Terminal;

/// The verbs of the group.
#[cfg(target_os = "linux")]
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Up(up::Arguments),
    Down(down::Arguments),
    List(list::Arguments),
    Env(env::Arguments),
    Exec(exec::Arguments),
    Demo(demo::Arguments),
    Stop(stop::Arguments),
    Start(start::Arguments),
    Parts(parts::Arguments),
    /// What the lab runs of itself
    #[command(subcommand, hide = true)]
    Inside(inside::Command),
}

/// Which lab.
#[cfg(target_os = "linux")]
#[derive(Debug, clap::Args)]
struct Which {
    /// The lab's name
    #[arg(long, value_name = "NAME", default_value = "lab")]
    name: LabName,
}

#[cfg(target_os = "linux")]
pub async fn run(command: Command, terminal: &Terminal) -> Result<()> {
    match command {
        Command::Up(arguments) => tokio::task::block_in_place(|| up::run(&arguments, terminal)),
        Command::Down(arguments) => tokio::task::block_in_place(|| down::run(&arguments, terminal)),
        Command::List(arguments) => tokio::task::block_in_place(|| list::run(&arguments, terminal)),
        Command::Demo(arguments) => tokio::task::block_in_place(|| demo::run(&arguments, terminal)),
        Command::Env(arguments) => env::run(&arguments, terminal),
        Command::Exec(arguments) => exec::run(&arguments),
        Command::Stop(arguments) => tokio::task::block_in_place(|| stop::run(&arguments, terminal)),
        Command::Start(arguments) => tokio::task::block_in_place(|| start::run(&arguments, terminal)),
        Command::Parts(arguments) => tokio::task::block_in_place(|| parts::run(&arguments, terminal)),
        Command::Inside(command) => inside::run(command).await,
    }
}

/// Whatever is asked for: there is no lab on this system.
#[cfg(not(target_os = "linux"))]
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Any verb
    #[command(external_subcommand)]
    Any(Vec<std::ffi::OsString>),
}

#[cfg(not(target_os = "linux"))]
pub async fn run(_command: Command, _terminal: &Terminal) -> Result<()> {
    Err(
        crate::error::Error::request("a lab needs Linux: it is made of Linux namespaces").hint(
            "run stolos on a Linux machine or in a Linux virtual machine; everything but `lab` works here as well",
        ),
    )
}
