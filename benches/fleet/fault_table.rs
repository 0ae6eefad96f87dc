//! What came of each command under each fault, and how many cases went as they should.

use serde_json::Value;

use crate::clusters::Cluster;
use crate::fault_cases::{Case, Expected};
use crate::job::Runs;
use crate::meter::Metered;
use crate::report::{Section, Table};
use crate::statistics::median;

/// What each command is given for one cluster, in seconds.
pub const DEADLINE: f64 = 1.0;
/// How much later than that a command may end: it has to start, to report and to end as well.
const GRACE: f64 = 0.5;

/// The classes of failure (contract: `errors[].class`).
const CLASSES: [&str; 15] = [
    "configuration",
    "name",
    "tcp",
    "tls",
    "certificate",
    "authentication",
    "permission",
    "throttled",
    "server",
    "timeout",
    "not-kubernetes",
    "not-found",
    "conflict",
    "invalid",
    "identity",
];

/// A command's clusters: the one that fails, and those that are read beside it.
#[derive(Clone, Copy)]
pub struct Sides<'all> {
    /// The one that fails.
    pub bad: &'all Cluster,
    /// The others.
    pub good: &'all [Cluster],
}

/// The table, and how many cases went as they should.
pub struct Judged {
    table: Table,
    cases: usize,
    prompt: usize,
    classed: usize,
    coded: usize,
    in_time: usize,
}

impl Judged {
    /// Nothing yet.
    pub fn begin() -> Self {
        Self {
            table: Table::new(&[
                "command",
                "the last cluster",
                "others read after",
                "later by",
                "ratio",
                "whole command",
                "class",
                "exit code",
            ]),
            cases: 0,
            prompt: 0,
            classed: 0,
            coded: 0,
            in_time: 0,
        }
    }

    /// A command when all is well.
    pub fn usual(&mut self, command: &str, runs: &Runs, sides: Sides<'_>) {
        self.row(command, "as it is", runs, sides, None);
    }

    /// The same with one bad cluster.
    pub fn case(
        &mut self,
        command: &str,
        case: &Case,
        expected: Expected,
        runs: &Runs,
        usual: &Runs,
        sides: Sides<'_>,
    ) {
        let (read, usual) = (moment(runs, sides.good), moment(usual, sides.good));
        let is_prompt = read
            .zip(usual)
            .is_some_and(|(read, usual)| read <= usual + 0.05 || read <= usual * 1.1);
        let classes = all(runs, |run| classes(run, &sides.bad.context));
        let is_right = |class: &String| expected.classes.contains(&class.as_str());
        let is_classed = classes.is_empty() == expected.classes.is_empty() && classes.iter().all(is_right);
        let code = expected.code.to_string();
        let codes = all(runs, |run| vec![code_of(run)]);
        let whole = runs.good.iter().all(|run| run.seconds() <= DEADLINE + GRACE);
        let is_complete = runs.bad.is_empty() && !runs.good.is_empty();
        self.cases += 1;
        self.prompt += usize::from(is_prompt);
        self.classed += usize::from(is_complete && is_classed);
        self.coded += usize::from(is_complete && codes == [code]);
        self.in_time += usize::from(is_complete && whole);
        self.row(command, case.name, runs, sides, usual);
    }

    fn row(&mut self, command: &str, what: &str, runs: &Runs, sides: Sides<'_>, usual: Option<f64>) {
        let read = moment(runs, sides.good);
        let milliseconds = |value: Option<f64>| {
            value.map_or_else(|| "–".to_owned(), |value| format!("{:.0} ms", value * 1e3))
        };
        let compared = read.zip(usual);
        self.table.row(vec![
            command.to_owned(),
            what.to_owned(),
            milliseconds(read),
            compared.map_or_else(String::new, |(read, usual)| milliseconds(Some(read - usual))),
            compared.map_or_else(String::new, |(read, usual)| format!("{:.2}", read / usual)),
            milliseconds(runs.wall()),
            all(runs, |run| classes(run, &sides.bad.context)).join(", "),
            all(runs, |run| vec![code_of(run)]).join(", "),
        ]);
    }

    /// Puts it into a section: the table, and the figures.
    pub fn end(self, section: &mut Section) {
        section.tables.push(self.table);
        for (what, count) in [
            ("the others were within 1.1 times or 50 ms", self.prompt),
            ("the bad cluster was classed rightly", self.classed),
            ("the exit code told partial from total", self.coded),
            ("every run ended within the deadline", self.in_time),
        ] {
            let what = format!("faults: cases in which {what}");
            section.at_least(&what, Some(count as f64), self.cases as f64, "");
        }
    }
}

/// What all good runs gave, each once.
fn all(runs: &Runs, of: impl Fn(&Metered) -> Vec<String>) -> Vec<String> {
    let mut found: Vec<String> = runs.good.iter().flat_map(of).collect();
    found.sort();
    found.dedup();
    found
}

fn code_of(run: &Metered) -> String {
    run.code
        .map_or_else(|| "killed".to_owned(), |code| code.to_string())
}

/// The median moment at which the good clusters had been read, in seconds.
fn moment(runs: &Runs, good: &[Cluster]) -> Option<f64> {
    median(runs.good.iter().filter_map(|run| others_read(run, good)))
}

/// When the last of some clusters had its line on stderr, which begins with its name, in seconds after
/// the start. None where one had none.
pub fn others_read(metered: &Metered, clusters: &[Cluster]) -> Option<f64> {
    let mut last = 0;
    for cluster in clusters {
        let line = metered.lines.iter().find(|line| {
            let rest = line.text.strip_prefix(cluster.context.as_str());
            line.error && rest.is_some_and(|rest| rest.starts_with(':'))
        });
        last = last.max(line?.at);
    }
    Some(last as f64 / 1e6)
}

/// The classes of what was said of a cluster: in the document, or where there is none beside it.
fn classes(metered: &Metered, cluster: &str) -> Vec<String> {
    let Ok(document) = serde_json::from_str::<Value>(&metered.stdout()) else {
        let lines = metered.lines.iter().filter(|line| line.text.contains(cluster));
        return lines
            .flat_map(|line| {
                let said = |class: &&&str| line.text.contains(&format!("({class})"));
                CLASSES
                    .iter()
                    .filter(said)
                    .map(|class| (*class).to_owned())
                    .collect::<Vec<_>>()
            })
            .collect();
    };
    let errors = document["errors"].as_array().into_iter().flatten();
    errors
        .filter(|error| error["cluster"] == cluster)
        .filter_map(|error| error["class"].as_str().map(str::to_owned))
        .collect()
}
