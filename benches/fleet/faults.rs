//! `faults`: one of up to ten real clusters fails; when are the others done?

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::arguments::{Arguments, Benchmark};
use crate::clusters::{Cluster, Entry, Ground};
use crate::fault_server::{self, Fault};
use crate::fixture::{self, Token};
use crate::job::{Job, Runs, by_exit_code, in_turn};
use crate::meter::Metered;
use crate::report::{Section, Table};
use crate::statistics::median;
use crate::trouble::{Doing as _, Outcome, Trouble};

/// The deadline that each command is given, so that those that hang take no longer.
const DEADLINE: &str = "2s";

/// How much later than its deadline a command may end: it has to start, report and end as well.
const GRACE: f64 = 0.5;

const COMMANDS: [&[&str]; 4] = [
    &["status"],
    &["contexts", "--probe"],
    &["plan"],
    &["link", "list"],
];

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    fixture::furnish(&ground)?;
    let clusters = &ground.clusters[..ground.clusters.len().min(10)];
    let (bad, good) = clusters.split_last().doing("find clusters")?;
    let count = clusters.len();
    let mut section = Section::new(
        Benchmark::Faults,
        format!(
            "{count} real clusters, the last of them as it is, or behind a server that fails. Measured is the moment \
             at which the last of the other {} was said to be read (`-v`). Each command has `--request-timeout {DEADLINE}`.",
            good.len()
        ),
    );
    let fleet = ground.fleet_of_links("faults.yaml", clusters)?;
    let sound = kubeconfig(&ground, "sound", clusters, None)?;
    fixture::put_back(clusters, Token::Issued)?;
    let link = ground
        .stolos("link", &sound, &["link", "sync", "--yes", "--no-wait", "--fleet"])
        .arguments([&fleet]);
    by_exit_code(&link.run()?).map_err(|why| Trouble::new(format!("link the clusters: {why}")))?;
    let mut cases = vec![(None, sound)];
    let other = good.first().doing("find another cluster")?;
    for fault in Fault::ALL {
        let address = fault_server::start(fault, &bad.folder, &other.folder)?;
        let server = format!("https://{address}");
        cases.push((
            Some(fault),
            kubeconfig(&ground, fault.name(), clusters, Some(&server))?,
        ));
    }
    let mut tally = Tally::default();
    let mut table = Table::new(&[
        "command",
        "the last cluster",
        "others read after",
        "later by",
        "ratio",
        "whole command",
        "class",
        "exit code",
    ]);
    for words in COMMANDS {
        let jobs: Vec<Job> = cases
            .iter()
            .map(|(fault, kubeconfig)| job(&ground, words, *fault, kubeconfig, &fleet))
            .collect();
        let all = in_turn(
            &jobs,
            arguments.runs,
            |_| Ok(()),
            |_, metered| {
                Ok(others_read(metered, good)
                    .map(|_| ())
                    .ok_or_else(|| metered.end()))
            },
        )?;
        section.notes.extend(all.iter().filter_map(Runs::complaint));
        let usual = all.first().and_then(|runs| moment(runs, good));
        for ((fault, _), runs) in cases.iter().zip(&all) {
            table.row(tally.judge(words, *fault, runs, usual, bad, good));
        }
    }
    section.tables.push(table);
    let cases = tally.cases as f64;
    section.at_least(
        "faults: cases in which the others were within 1.1 times or 50 ms",
        Some(tally.prompt as f64),
        cases,
        "",
    );
    section.at_least(
        "faults: cases in which the bad cluster was classed rightly",
        Some(tally.classed as f64),
        cases,
        "",
    );
    section.at_least(
        "faults: cases that ended within the deadline",
        Some(tally.in_time as f64),
        cases,
        "",
    );
    Ok(section)
}

/// How many cases went as they should.
#[derive(Default)]
struct Tally {
    cases: usize,
    prompt: usize,
    classed: usize,
    in_time: usize,
}

impl Tally {
    /// The row of one case.
    fn judge(
        &mut self,
        words: &[&str],
        fault: Option<Fault>,
        runs: &Runs,
        usual: Option<f64>,
        bad: &Cluster,
        good: &[Cluster],
    ) -> Vec<String> {
        let read = moment(runs, good);
        let later = read.zip(usual).map(|(read, usual)| read - usual);
        let ratio = read.zip(usual).map(|(read, usual)| read / usual);
        let mut classes: Vec<String> = runs
            .good
            .iter()
            .flat_map(|run| classes(run, &bad.context))
            .collect();
        classes.sort();
        classes.dedup();
        if let Some(fault) = fault {
            self.cases += 1;
            let prompt = later.is_some_and(|later| later <= 0.05) || ratio.is_some_and(|ratio| ratio <= 1.1);
            self.prompt += usize::from(prompt);
            let right = |class: &String| fault.classes().contains(&class.as_str());
            self.classed += usize::from(!classes.is_empty() && classes.iter().all(right));
            self.in_time += usize::from(runs.wall().is_some_and(|wall| wall <= 2.0 + GRACE));
        }
        let mut codes: Vec<String> = runs
            .good
            .iter()
            .map(|run| {
                run.code
                    .map_or_else(|| "killed".to_owned(), |code| code.to_string())
            })
            .collect();
        codes.sort();
        codes.dedup();
        let milliseconds = |value: Option<f64>| {
            value.map_or_else(|| "–".to_owned(), |value| format!("{:.0} ms", value * 1e3))
        };
        vec![
            words.join(" "),
            fault.map_or("as it is", Fault::name).to_owned(),
            milliseconds(read),
            if fault.is_some() {
                milliseconds(later)
            } else {
                String::new()
            },
            match (fault, ratio) {
                (Some(_), Some(ratio)) => format!("{ratio:.2}"),
                _ => String::new(),
            },
            milliseconds(runs.wall()),
            classes.join(", "),
            codes.join(", "),
        ]
    }
}

fn job(ground: &Ground, words: &[&str], fault: Option<Fault>, kubeconfig: &Path, fleet: &Path) -> Job {
    let name = format!("{} / {}", words.join(" "), fault.map_or("as it is", Fault::name));
    let job = ground
        .stolos(&name, kubeconfig, words)
        .arguments(["-v", "-o", "json", "--request-timeout", DEADLINE])
        .deadline(Duration::from_secs(60));
    if words.first() == Some(&"contexts") {
        job
    } else {
        job.arguments(["--fleet".as_ref(), fleet.as_os_str()])
    }
}

/// A kubeconfig of the clusters, the last of them at another address.
fn kubeconfig(ground: &Ground, name: &str, clusters: &[Cluster], last: Option<&str>) -> Outcome<PathBuf> {
    let mut entries: Vec<Entry<'_>> = clusters.iter().map(Cluster::entry).collect();
    if let (Some(entry), Some(server)) = (entries.last_mut(), last) {
        server.clone_into(&mut entry.server);
    }
    ground.kubeconfig(&format!("{}.kubeconfig", name.replace([' ', '/'], "-")), &entries)
}

/// The median moment at which the good clusters had been read, in seconds.
fn moment(runs: &Runs, good: &[Cluster]) -> Option<f64> {
    median(runs.good.iter().filter_map(|run| others_read(run, good)))
}

/// When the last of some clusters had its first line, in seconds after the start: on stderr a line
/// that begins with its name, on stdout one that holds it. None where one had none.
fn others_read(metered: &Metered, clusters: &[Cluster]) -> Option<f64> {
    let mut last = 0;
    for cluster in clusters {
        let name = &cluster.context;
        let line = metered.lines.iter().find(|line| {
            if line.error {
                line.text
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.starts_with(':'))
            } else {
                line.text.contains(&format!("\"{name}\""))
            }
        });
        last = last.max(line?.at);
    }
    Some(last as f64 / 1e6)
}

/// The classes of what was said of a cluster.
fn classes(metered: &Metered, cluster: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(&metered.stdout()).unwrap_or_default();
    let errors = document["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .filter(|error| error["cluster"] == cluster)
        .filter_map(|error| error["class"].as_str().map(str::to_owned))
        .collect()
}
