//! `stolos lab up`

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::env::quoted;
use super::{Which, fleet};
use crate::cli::init::{data_plane_mode, model};
use crate::error::Result;
use crate::fleet::{DataPlaneMode, Model};
use crate::lab::shape::{Extent, MOST_CLUSTERS};
use crate::lab::{self, Event, Lab, UpRequest, parts};
use crate::render::Terminal;

/// Bring up throwaway clusters with real control planes, reached by a kubeconfig of their own
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// How many clusters; default: 2, or as many as the lab has
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_CLUSTERS)))]
    clusters: Option<u8>,
    /// API servers, and the controllers of namespaces, accounts and tokens; no nodes and no pods
    #[arg(long)]
    control_plane_only: bool,
    /// Write a fleet file of this deployment model over the clusters, kept with the lab
    #[arg(long, value_name = "MODEL", value_parser = model)]
    model: Option<Model>,
    /// How workloads take part in the mesh of the fleet file; for `ambient`, the clusters are given the Gateway API
    #[arg(long, value_name = "MODE", default_value = "sidecar", value_parser = data_plane_mode)]
    data_plane_mode: DataPlaneMode,
}

pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let request = UpRequest {
        name: arguments.which.name.clone(),
        clusters: arguments.clusters,
        extent: if arguments.control_plane_only {
            Extent::ControlPlaneOnly
        } else {
            Extent::Whole
        },
    };
    let started = Instant::now();
    let teller = Teller::new(terminal);
    let lab = lab::up(&request, &|event| teller.tell(event))?;
    if arguments.data_plane_mode == DataPlaneMode::Ambient {
        lab::define_gateway_api(&lab)?;
    }
    let took = started.elapsed();
    let file = fleet::file(&lab);
    match arguments.model {
        // One that is there may have been edited, and holds what its clusters are.
        Some(_) if file.exists() => terminal.say(&format!("{} is there already, and kept", file.display())),
        Some(model) => fleet::init(&lab, model, arguments.data_plane_mode, terminal)?,
        None => {}
    }
    terminal.say(&how_to_use(&lab, took));
    Ok(())
}

fn how_to_use(lab: &Lab, took: Duration) -> String {
    let name = match lab.name.as_str() {
        "lab" => String::new(),
        other => format!(" --name {other}"),
    };
    let file = fleet::file(lab);
    let with_file = match file.exists() {
        true => format!(
            "its fleet file:   export STOLOS_FLEET={}\n",
            quoted(&file.display().to_string())
        ),
        false => String::new(),
    };
    format!(
        "lab {} is up after {:.1} s: contexts {}\n\
         use it with:      eval \"$(stolos lab env{name})\"\n\
         {with_file}\
         or inside of it:  stolos lab exec{name} -- COMMAND\n\
         take it down by:  stolos lab down{name}",
        lab.name,
        took.as_secs_f64(),
        lab.contexts().join(", "),
    )
}

/// Tells what happens: lines, and on a terminal the progress of builds in one line.
pub struct Teller<'a> {
    terminal: &'a Terminal,
    bar: Mutex<Option<ProgressBar>>,
}

impl<'a> Teller<'a> {
    /// A teller who has not said anything yet.
    pub fn new(terminal: &'a Terminal) -> Self {
        Self {
            terminal,
            bar: Mutex::new(None),
        }
    }

    /// Tells of an event.
    pub fn tell(&self, event: Event) {
        match event {
            Event::Part(event) => self.tell_part(event),
            Event::Cleaned => self
                .terminal
                .say("cleaned up what an earlier lab of this name left"),
            Event::Starting { clusters: 1 } => self.terminal.say("starting 1 control plane"),
            Event::Starting { clusters } => self.terminal.say(&format!("starting {clusters} control planes")),
            Event::Ready { context, after } => self
                .terminal
                .say(&format!("{context} is ready after {:.1} s", after.as_secs_f64())),
            Event::AlreadyRunning => self.terminal.say("the lab runs already"),
        }
    }

    /// Tells of a part.
    pub fn tell_part(&self, event: parts::Event) {
        let Ok(mut bar) = self.bar.lock() else {
            return;
        };
        match event {
            parts::Event::Waiting { what } => self
                .terminal
                .say(&format!("waiting for another process that builds {what}")),
            parts::Event::Building { what, parts } => {
                self.terminal.say(&format!(
                    "building {what} ({}): once, and some minutes",
                    parts.join(", ")
                ));
                if self.terminal.draws_progress() {
                    let spinner = ProgressBar::new_spinner();
                    spinner.enable_steady_tick(Duration::from_millis(120));
                    *bar = Some(spinner);
                }
            }
            parts::Event::Progress { packages, now } => {
                if let Some(bar) = bar.as_ref() {
                    bar.set_message(format!("{packages} packages compiled, {now}"));
                }
            }
            parts::Event::Built {
                what,
                took,
                directory,
            } => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
                self.terminal.say(&format!(
                    "built {what} in {} s, kept in {}",
                    took.as_secs(),
                    directory.display()
                ));
            }
        }
    }
}
