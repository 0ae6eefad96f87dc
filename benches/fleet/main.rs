//! The benchmark of a fleet: this tool and what people do today, side by side, in one run, on the
//! same clusters.
//!
//! ```text
//! cargo bench --bench fleet                                  all of it
//! cargo bench --bench fleet -- link contexts                 some of it
//! cargo bench --bench fleet -- --clusters 5 --runs 3 link    smaller
//! ```
//!
//! It prints Markdown, with its date and machine in the heading; progress goes to stderr. Nothing
//! is assumed of either side: every contestant of a comparison is run in turn, the outcome of each
//! run is looked at outside of the measured time, and a run that fails is shown as one.
//!
//! Three processes: the one that was started (it makes the clusters and takes them down), `inside`
//! (the measuring, where the clusters' addresses can be reached), and `meter` (around each measured
//! command, so that CPU time and memory are that command's and nobody else's).

mod api;
mod arguments;
mod audit;
mod clusters;
mod contexts;
#[path = "../../tests/faults/cases.rs"]
mod fault_cases;
mod fault_table;
mod faults;
mod fixture;
mod interruption;
mod job;
mod link;
mod machine;
mod meter;
mod noop;
mod outcome;
mod plugins;
mod report;
mod rig;
mod round_trips;
mod screen;
mod simulated;
mod simulation;
mod startup;
mod statistics;
mod trouble;

use std::io::Write as _;
use std::process::ExitCode;

use arguments::{Arguments, Benchmark};
use report::Section;
use trouble::{Doing as _, Outcome};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.first().map(String::as_str) {
        Some("meter") => meter::main(&words[1..]),
        Some("inside") => inside(&words[1..]),
        _ => whole(&words),
    };
    match done {
        Ok(code) => code,
        Err(trouble) => {
            say(&format!("benchmark: {trouble}"));
            ExitCode::FAILURE
        }
    }
}

/// The whole benchmark, from its heading to its last table.
fn whole(words: &[String]) -> Outcome<ExitCode> {
    let arguments = match Arguments::parse(words) {
        Ok(arguments) => arguments,
        Err(answer) => return print(&answer).map(|()| ExitCode::SUCCESS),
    };
    let mut rig = rig::Rig::new()?;
    print(&machine::heading(&rig)?)?;
    let mut sections = Vec::new();
    for benchmark in arguments.benchmarks() {
        say(&format!("{benchmark} …"));
        let section = rig
            .run(benchmark, &arguments)
            .unwrap_or_else(|trouble| Section::failed(benchmark, &trouble.to_string()));
        interruption::stop_here_if_asked_to_end();
        sections.push(section);
    }
    // What everything ran on goes before anything is called finished.
    rig.down()?;
    report::put_in_order(&mut sections);
    print(&report::markdown(&sections))?;
    if sections.iter().any(|section| section.failure.is_some()) {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// One benchmark, where its clusters can be reached; its section goes to stdout as JSON.
fn inside(words: &[String]) -> Outcome<ExitCode> {
    let (name, words) = words.split_first().doing("find which benchmark to run inside")?;
    let arguments = Arguments::parse(words).map_err(trouble::Trouble::new)?;
    let section = match arguments::benchmark(name)? {
        Benchmark::Link => link::run(&arguments),
        Benchmark::Contexts => contexts::run(&arguments),
        Benchmark::Noop => noop::run(&arguments),
        Benchmark::Plugins => plugins::run(&arguments),
        Benchmark::Startup => startup::run(&arguments),
        Benchmark::Faults => faults::run(&arguments),
        Benchmark::Simulated => simulated::run(&arguments),
        Benchmark::RoundTrips => round_trips::run(&arguments),
    }?;
    print(&serde_json::to_string(&section).doing("write the section")?)?;
    Ok(ExitCode::SUCCESS)
}

/// Says on stderr what happens.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints to stdout.
fn print(text: &str) -> Outcome<()> {
    writeln!(std::io::stdout(), "{text}").doing("print")
}
