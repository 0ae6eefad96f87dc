//! `startup`: how long a program takes to say its version, and how large it is.

use crate::arguments::{Arguments, Benchmark};
use crate::clusters::Ground;
use crate::job::{Job, Runs, by_exit_code, in_turn};
use crate::report::{Section, Table};
use crate::trouble::{Doing as _, Outcome};

/// Runs of each, whatever was asked for: each takes milliseconds.
const RUNS: u16 = 50;

/// Runs it.
pub fn run(_arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    let path = ground.path();
    let programs = [
        (ground.stolos.clone(), &["--version"][..]),
        (ground.parts.join("kubectl"), &["version", "--client"]),
        (ground.parts.join("istioctl"), &["version", "--remote=false"]),
    ];
    let mut sizes = Vec::new();
    let mut jobs = Vec::new();
    for (program, words) in &programs {
        let size = std::fs::metadata(program).doing("look at a program")?.len();
        sizes.push(size as f64 / 1e6);
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{name} {}", words.join(" "));
        jobs.push(Job::new(name, program, &ground.home, &path).arguments(*words));
    }
    let all = in_turn(&jobs, RUNS, |_| Ok(()), |_, metered| Ok(by_exit_code(metered)))?;
    let mut section = Section::new(
        Benchmark::Startup,
        format!("Medians of {RUNS} runs each, from the process's start to its end."),
    );
    let mut table = Table::new(&[&Runs::HEAD[..], &["program"]].concat());
    if let Some(ours) = all.first() {
        for (runs, size) in all.iter().zip(&sizes) {
            let mut cells = runs.cells(ours);
            cells.push(format!("{size:.1} MB"));
            table.row(cells);
        }
        let milliseconds = ours.wall().map(|seconds| seconds * 1e3);
        section.at_most("start-up of `stolos --version`", milliseconds, 5.0, "ms");
    }
    section.tables.push(table);
    section.at_most("size of the program", sizes.first().copied(), 20.0, "MB");
    section.notes.extend(all.iter().filter_map(Runs::complaint));
    section.notes.push(
        "A process is charged with at least the few megabytes of the one that starts it, so the smallest size is a \
         bound from above."
            .to_owned(),
    );
    Ok(section)
}
