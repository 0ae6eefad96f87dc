//! Runs a simulated fleet by hand:
//! `cargo run --release --example simulator -- --clusters 1000 --round-trip 100ms --directory DIR`
//! writes DIR/kubeconfig and DIR/stolos.yaml, and serves until its stdin ends.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use simulator::{Content, Credential, Detail, Fault, Fleet, Length, Options};

#[derive(Parser)]
struct Arguments {
    /// Clusters.
    #[arg(long, default_value_t = 10)]
    clusters: usize,
    /// The round-trip time to each, such as 100ms.
    #[arg(long, default_value = "0ms", value_parser = time)]
    round_trip: Duration,
    /// Bytes a second in each direction.
    #[arg(long)]
    bandwidth: Option<u64>,
    /// So many of the first clusters never answer.
    #[arg(long, default_value_t = 0)]
    black_holes: usize,
    /// Remote secrets in each cluster, for the clusters after it.
    #[arg(long)]
    linked: Option<usize>,
    /// Clusters without a mesh.
    #[arg(long)]
    empty: bool,
    /// Offer HTTP/1.1 alone.
    #[arg(long)]
    http1: bool,
    /// A client certificate instead of bearer tokens.
    #[arg(long)]
    certificate: bool,
    /// Threads of the simulator.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Where the files go.
    #[arg(long)]
    directory: PathBuf,
}

fn time(text: &str) -> Result<Duration, String> {
    let number = |digits: &str| {
        digits
            .parse()
            .map_err(|_| format!("`{text}` is no time such as 100ms"))
    };
    match text.strip_suffix("ms") {
        Some(digits) => number(digits).map(Duration::from_millis),
        None => number(text.trim_end_matches('s')).map(Duration::from_secs),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let fleet = Fleet::start(Options {
        clusters: arguments.clusters,
        length: Length {
            round_trip: arguments.round_trip,
            bandwidth: arguments.bandwidth,
        },
        credential: if arguments.certificate {
            Credential::Certificate
        } else {
            Credential::Token
        },
        content: match arguments.linked {
            _ if arguments.empty => Content::Empty,
            Some(peers) => Content::Linked(peers),
            None => Content::Member,
        },
        detail: Detail::Counts,
        http2: !arguments.http1,
        threads: arguments.threads,
        ..Options::default()
    })?;
    for cluster in fleet.clusters().iter().take(arguments.black_holes) {
        cluster.set_fault(Fault::BlackHole);
    }
    fleet.write_files(&arguments.directory, &["links"])?;
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "{} clusters are served until stdin ends",
        fleet.clusters().len()
    )?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    writeln!(stdout, "{:?}", fleet.counts())?;
    Ok(())
}
