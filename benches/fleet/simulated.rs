//! `simulated`: a thousand simulated clusters, near and far, and some of them silent.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use simulator::{Content, Fault};

use crate::arguments::{Arguments, Benchmark};
use crate::clusters::Ground;
use crate::job::{Job, Runs, in_turn};
use crate::meter::Metered;
use crate::report::{Section, Table};
use crate::screen::all_seen;
use crate::simulation::{Moment, Served, Simulation, cores};
use crate::statistics::{median, seconds};
use crate::trouble::{Doing as _, Outcome};

/// Round-trip times, in milliseconds.
const ROUND_TRIPS: [u64; 3] = [0, 50, 100];

/// Clusters that are silent in the end.
const SILENT: usize = 10;

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    let count = usize::from(arguments.simulated);
    let mut section = Section::new(
        Benchmark::Simulated,
        format!(
            "{count} simulated clusters, members of one mesh, on this machine and in a process of their own, over links \
             of different lengths. Client and simulator share the {} cores: what their CPU time alone would take there \
             is `CPU-bound`, the rest of the wall time is waiting.",
            cores()
        ),
    );
    let mut table = Table::new(&[
        "command",
        "round trip",
        "wall",
        "range of wall",
        "client CPU",
        "simulator CPU",
        "CPU-bound",
        "rest",
        "largest process",
        "requests",
        "connections",
        "good runs",
    ]);
    for milliseconds in ROUND_TRIPS {
        let round_trip = Duration::from_millis(milliseconds);
        let simulation = Simulation::start(&ground, count, round_trip, Content::Member)?;
        let all = measure(&ground, &simulation, arguments.runs)?;
        for (runs, served) in &all {
            table.row(cells(runs, served, milliseconds, count));
            section.notes.extend(runs.complaint());
        }
        if let (100, Some((status, _))) = (milliseconds, all.first()) {
            let what = |of: &str| format!("{count} simulated clusters at 100 ms, status: {of}");
            section.at_most(&what("wall"), status.wall(), 0.6, "s");
            section.at_most(&what("largest process"), status.memory(), 64.0, "MB");
            silent(&ground, &simulation, arguments, &mut section)?;
        }
    }
    section.tables.insert(0, table);
    Ok(section)
}

fn jobs(ground: &Ground, simulation: &Simulation) -> [Job; 2] {
    let kubeconfig = &simulation.kubeconfig;
    [
        ground
            .stolos("stolos status", kubeconfig, &["status", "--fleet"])
            .arguments([&simulation.file]),
        ground.stolos("stolos contexts --probe", kubeconfig, &["contexts", "--probe"]),
    ]
    .map(|job| job.deadline(Duration::from_secs(120)))
}

/// Both commands in turn, with what the simulator served to each run.
fn measure(ground: &Ground, simulation: &Simulation, rounds: u16) -> Outcome<Vec<(Runs, Vec<Served>)>> {
    let jobs = jobs(ground, simulation);
    let names = names(simulation, 0);
    let moment = Cell::new(Moment::now(simulation)?);
    let mut served = vec![Vec::new(); jobs.len()];
    let all = in_turn(
        &jobs,
        rounds,
        |_| {
            moment.set(Moment::now(simulation)?);
            Ok(())
        },
        |job, metered| {
            let index = usize::from(job.name != jobs[0].name);
            served[index].push(moment.get().until_now(simulation)?);
            let shown = all_seen(metered, &names, false);
            // 3 says that there are findings: a mesh whose links are not made has some.
            Ok(match (metered.code, shown) {
                (Some(0 | 3), Some(_)) => Ok(()),
                (Some(0 | 3), None) => Err("a cluster has no row".to_owned()),
                _ => Err(metered.end()),
            })
        },
    )?;
    Ok(all.into_iter().zip(served).collect())
}

fn cells(runs: &Runs, served: &[Served], milliseconds: u64, count: usize) -> Vec<String> {
    let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), seconds);
    let simulator = median(served.iter().map(|served| served.cpu));
    let bound = runs
        .cpu()
        .zip(simulator)
        .map(|(client, simulator)| (client + simulator) / cores() as f64);
    let rest = runs
        .wall()
        .zip(bound)
        .map(|(wall, bound)| (wall - bound).max(0.0));
    let walls = || runs.good.iter().map(Metered::seconds);
    let range = walls().min_by(f64::total_cmp).zip(walls().max_by(f64::total_cmp));
    let each = |of: fn(&Served) -> u64| {
        let middle = median(served.iter().map(|served| of(served) as f64));
        middle.map_or_else(
            || "–".to_owned(),
            |middle| format!("{:.1} each", middle / count as f64),
        )
    };
    vec![
        runs.name.clone(),
        format!("{milliseconds} ms"),
        shown(runs.wall()),
        range.map_or_else(
            || "–".to_owned(),
            |(low, high)| format!("{}–{}", seconds(low), seconds(high)),
        ),
        shown(runs.cpu()),
        shown(simulator),
        shown(bound),
        shown(rest),
        runs.memory()
            .map_or_else(|| "–".to_owned(), |size| format!("{size:.0} MB")),
        each(|served| served.counts.requests),
        each(|served| served.counts.connections),
        format!("{} of {}", runs.good.len(), runs.good.len() + runs.bad.len()),
    ]
}

/// The names of the clusters after the first `skipped`.
fn names(simulation: &Simulation, skipped: usize) -> BTreeSet<&str> {
    let clusters = simulation.fleet.clusters().iter().skip(skipped);
    clusters.map(|cluster| cluster.name.as_str()).collect()
}

/// The same far clusters, the first of them silent: when are the others on the screen?
fn silent(
    ground: &Ground,
    simulation: &Simulation,
    arguments: &Arguments,
    section: &mut Section,
) -> Outcome<()> {
    let all = simulation.fleet.clusters();
    let count = SILENT.min(all.len() / 2);
    for cluster in all.iter().take(count) {
        cluster.set_fault(Fault::BlackHole);
    }
    let others = names(simulation, count);
    let [status, contexts] = jobs(ground, simulation);
    let verbose = status.clone().arguments(["-v"]).named("stolos status -v");
    let jobs = [status, verbose, contexts];
    let on_stderr = |name: &str| name.ends_with("-v");
    let runs = in_turn(
        &jobs,
        arguments.runs,
        |_| Ok(()),
        |job, metered| {
            Ok(
                match (metered.code, all_seen(metered, &others, on_stderr(&job.name))) {
                    (Some(3 | 4), Some(_)) => Ok(()),
                    (Some(3 | 4), None) => Err("a cluster that answers has no row".to_owned()),
                    _ => Err(metered.end()),
                },
            )
        },
    )?;
    let mut table = Table::new(&[
        "100 ms, some silent",
        "silent",
        "the others are shown after",
        "whole command",
    ]);
    for runs in &runs {
        let shown = median(
            runs.good
                .iter()
                .filter_map(|metered| all_seen(metered, &others, on_stderr(&runs.name))),
        );
        let text = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), seconds);
        table.row([
            runs.name.clone(),
            count.to_string(),
            text(shown),
            text(runs.wall()),
        ]);
        section.notes.extend(runs.complaint());
        if runs.name == "stolos status" {
            let what = format!(
                "the {} others of {} at 100 ms on the screen, {count} silent",
                others.len(),
                all.len()
            );
            section.at_most(&what, shown, 0.7, "s");
        }
    }
    section.tables.push(table);
    all.first().doing("find a simulated cluster").map(|_| ())
}
