//! What the benchmark is told: which parts, how many clusters, how many runs.

use std::fmt;

use clap::{Parser, ValueEnum};

use crate::trouble::{Doing as _, Outcome};

/// One comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Benchmark {
    /// A full mesh of links between real clusters
    Link,
    /// Who the clusters of 100 contexts on one server are
    Contexts,
    /// An apply with nothing to do
    Noop,
    /// Contexts whose credentials come from slow plugins
    Plugins,
    /// How long a program takes to start
    Startup,
    /// One bad cluster among ten
    Faults,
    /// A thousand simulated clusters, near and far
    Simulated,
    /// How many round trips commands wait for, with simulated clusters
    RoundTrips,
}

impl Benchmark {
    /// Whether it runs on simulated clusters.
    pub fn is_simulated(self) -> bool {
        matches!(self, Benchmark::Simulated | Benchmark::RoundTrips)
    }

    /// Whether it needs the lab's real clusters.
    pub fn needs_clusters(self) -> bool {
        !matches!(self, Benchmark::Startup) && !self.is_simulated()
    }
}

impl fmt::Display for Benchmark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_possible_value() {
            Some(value) => formatter.write_str(value.get_name()),
            None => Ok(()),
        }
    }
}

/// A benchmark by its name.
pub fn benchmark(name: &str) -> Outcome<Benchmark> {
    Benchmark::from_str(name, false).doing(format!("find the benchmark {name:?}"))
}

/// Compare stolos with what people do today, side by side, and print the table
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo bench --bench fleet --")]
pub struct Arguments {
    /// The benchmarks to run; all where none is named
    #[arg(value_enum)]
    named: Vec<Benchmark>,
    /// Real clusters (`link`, `noop`; `faults` uses at most ten of them)
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(2..=63))]
    pub clusters: u8,
    /// Runs of each contestant; medians are printed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub runs: u16,
    /// Contexts on one server (`contexts`)
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub contexts: u16,
    /// Contexts that share five plugins (`plugins`)
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(5..=1000))]
    pub plugin_contexts: u16,
    /// Simulated clusters (`simulated`)
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u16).range(2..=4000))]
    pub simulated: u16,
    /// Simulated clusters (`round-trips`)
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub round_trip_clusters: u16,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Arguments {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// Gives the text to print instead: help, or what is wrong.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let program = std::iter::once("fleet".to_owned());
        let arguments = Self::try_parse_from(program.chain(words.iter().cloned()))
            .map_err(|error| error.render().to_string())?;
        if arguments.bench {
            Ok(arguments)
        } else {
            // `cargo test --all-targets` starts benchmarks without this.
            Err("this measures only by `cargo bench --bench fleet`".to_owned())
        }
    }

    /// What to run, in the order in which it is run: while a lab stands, its API servers take some
    /// of the machine even where nobody asks them anything, so what needs none is first.
    pub fn benchmarks(&self) -> Vec<Benchmark> {
        let all = Benchmark::value_variants().iter().copied();
        let mut chosen: Vec<Benchmark> = all
            .filter(|one| self.named.is_empty() || self.named.contains(one))
            .collect();
        chosen.sort_by_key(|one| one.needs_clusters());
        chosen
    }

    /// The same for the process inside.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["--bench".to_owned()];
        for (name, value) in [
            ("clusters", u16::from(self.clusters)),
            ("runs", self.runs),
            ("contexts", self.contexts),
            ("plugin-contexts", self.plugin_contexts),
            ("simulated", self.simulated),
            ("round-trip-clusters", self.round_trip_clusters),
        ] {
            words.extend([format!("--{name}"), value.to_string()]);
        }
        words
    }
}
