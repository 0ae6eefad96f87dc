//! `round-trips`: how many round trips a command waits for: the slope of its wall time over the
//! round-trip time, which leaves out what the CPU takes.

use std::time::Duration;

use simulator::Content;

use crate::arguments::{Arguments, Benchmark};
use crate::clusters::Ground;
use crate::job::{Job, Runs, in_turn};
use crate::report::{Section, Table};
use crate::simulation::Simulation;
use crate::statistics::{seconds, slope};
use crate::trouble::Outcome;

/// Round-trip times, in milliseconds.
const ROUND_TRIPS: [u64; 5] = [0, 50, 100, 150, 200];

/// What is done to a fleet.
struct Case {
    name: &'static str,
    content: Content,
    words: &'static [&'static str],
    /// Exit codes of success: 3 says that there are findings.
    codes: &'static [i32],
    /// Whether it changes the fleet, which is then made anew.
    changes: bool,
    /// Round trips, at most.
    aim: f64,
}

const CASES: [Case; 3] = [
    Case {
        name: "status by objects alone",
        content: Content::WithoutIstiod,
        words: &["status", "--fleet"],
        codes: &[0, 3],
        changes: false,
        aim: 3.3,
    },
    Case {
        name: "status with each istiod's debug endpoints",
        content: Content::Member,
        words: &["status", "--fleet"],
        codes: &[0, 3],
        changes: false,
        aim: 5.5,
    },
    Case {
        name: "first link, each credential tried once",
        content: Content::Member,
        words: &["link", "sync", "--yes", "--no-wait", "--fleet"],
        codes: &[0],
        changes: true,
        aim: 6.6,
    },
];

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    let count = usize::from(arguments.round_trip_clusters);
    let mut section = Section::new(
        Benchmark::RoundTrips,
        format!(
            "{count} simulated clusters. The slope, by least squares over medians, of wall time over round-trip time is \
             the number of round trips that are waited for one after the other, whatever the CPU adds."
        ),
    );
    let mut head = vec!["command".to_owned()];
    head.extend(ROUND_TRIPS.map(|milliseconds| format!("{milliseconds} ms")));
    head.extend(["round trips", "at most"].map(str::to_owned));
    let mut table = Table {
        head,
        rows: Vec::new(),
    };
    for case in &CASES {
        let mut points = Vec::new();
        let mut row = vec![case.name.to_owned()];
        for milliseconds in ROUND_TRIPS {
            crate::say(&format!(" {}, {milliseconds} ms", case.name));
            let runs = at(
                &ground,
                case,
                count,
                Duration::from_millis(milliseconds),
                arguments.runs,
            )?;
            section.notes.extend(runs.complaint());
            row.push(runs.wall().map_or_else(|| "–".to_owned(), seconds));
            points.extend(runs.wall().map(|wall| (milliseconds as f64 / 1e3, wall)));
        }
        // All of them, or the line is another one.
        let round_trips = slope(&points).filter(|_| points.len() == ROUND_TRIPS.len());
        row.push(round_trips.map_or_else(|| "–".to_owned(), |slope| format!("{slope:.2}")));
        row.push(case.aim.to_string());
        table.rows.push(row);
        section.at_most(
            &format!("{}: round trips at {count} clusters", case.name),
            round_trips,
            case.aim,
            "",
        );
    }
    section.tables.push(table);
    Ok(section)
}

/// All runs of a case at one round-trip time.
fn at(ground: &Ground, case: &Case, count: usize, round_trip: Duration, rounds: u16) -> Outcome<Runs> {
    let mut all = Runs {
        name: format!("{}, {} ms", case.name, round_trip.as_millis()),
        ..Runs::default()
    };
    let start = || Simulation::start(ground, count, round_trip, case.content);
    let mut simulation = start()?;
    for round in 0..rounds {
        if case.changes && round > 0 {
            simulation = start()?;
        }
        let job: Job = ground
            .stolos(case.name, &simulation.kubeconfig, case.words)
            .arguments([&simulation.file])
            .deadline(Duration::from_secs(300));
        let runs = in_turn(
            &[job],
            1,
            |_| Ok(()),
            |_, metered| {
                let good = metered.code.is_some_and(|code| case.codes.contains(&code));
                let written = simulation.fleet.counts().writes;
                let wanted = if case.changes { count * (count - 1) } else { 0 };
                Ok(match good {
                    false => Err(metered.end()),
                    true if (written as usize) < wanted => {
                        Err(format!("{written} writes for {wanted} links"))
                    }
                    true => Ok(()),
                })
            },
        )?;
        for runs in runs {
            all.good.extend(runs.good);
            all.bad.extend(runs.bad);
        }
    }
    Ok(all)
}
