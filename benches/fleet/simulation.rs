//! Simulated fleets, and what this process spends on them. They live in this process, in a network
//! namespace of its own with an address that is no loopback address: no peer is given one of those.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use simulator::{Content, Counts, Detail, Fleet, Length, Options};

use crate::clusters::Ground;
use crate::trouble::{Doing as _, Outcome};

/// The address of every simulated cluster.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 250, 0, 1);

/// A fleet that runs, with its files.
pub struct Simulation {
    /// The fleet.
    pub fleet: Fleet,
    /// Its kubeconfig.
    pub kubeconfig: PathBuf,
    /// Its fleet file, which manages links alone.
    pub file: PathBuf,
}

impl Simulation {
    /// Starts a fleet, and writes its files.
    pub fn start(ground: &Ground, clusters: usize, round_trip: Duration, content: Content) -> Outcome<Self> {
        let fleet = Fleet::start(Options {
            clusters,
            length: Length {
                round_trip,
                bandwidth: None,
            },
            content,
            detail: Detail::Counts,
            address: IpAddr::from(ADDRESS),
            // The other half of the machine is the client's.
            threads: (cores() / 2).max(1),
            ..Options::default()
        })
        .doing("start a simulated fleet")?;
        let directory = ground.home.join("simulated");
        std::fs::create_dir_all(&directory).doing("make a folder")?;
        let (kubeconfig, file) = fleet
            .write_files(&directory, &["links"])
            .doing("write a fleet's files")?;
        Ok(Self {
            fleet,
            kubeconfig,
            file,
        })
    }
}

/// Cores of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the simulator had done at a moment.
#[derive(Clone, Copy)]
pub struct Moment {
    cpu: f64,
    counts: Counts,
}

/// What it did since then.
#[derive(Clone, Copy)]
pub struct Served {
    /// CPU seconds of this process, which is the simulator and next to nothing else.
    pub cpu: f64,
    /// What was asked of all clusters together.
    pub counts: Counts,
}

impl Moment {
    /// This moment.
    pub fn now(simulation: &Simulation) -> Outcome<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF).doing("ask what the simulator took")?;
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Ok(Self {
            cpu: micros as f64 / 1e6,
            counts: simulation.fleet.counts(),
        })
    }

    /// What was served since.
    pub fn until_now(self, simulation: &Simulation) -> Outcome<Served> {
        let now = Self::now(simulation)?;
        Ok(Served {
            cpu: now.cpu - self.cpu,
            counts: now.counts.since(self.counts),
        })
    }
}
