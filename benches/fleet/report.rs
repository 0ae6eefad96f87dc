//! What was found, as data and as Markdown.

use std::fmt::Write as _;

use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};

use crate::arguments::Benchmark;

/// What one benchmark found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Section {
    /// The benchmark.
    pub name: String,
    /// What was done, in a few sentences.
    pub about: String,
    /// What was aimed at, and what it came to.
    pub figures: Vec<Figure>,
    /// The measurements.
    pub tables: Vec<Table>,
    /// What a reader should know of them.
    pub notes: Vec<String>,
    /// Why there is no result, where there is none.
    pub failure: Option<String>,
}

/// One figure that was aimed at.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What is compared.
    pub what: String,
    /// What was measured.
    pub measured: String,
    /// What was aimed at.
    pub aim: String,
    /// Whether it was reached.
    pub reached: bool,
}

/// Measurements.
#[derive(Debug, Serialize, Deserialize)]
pub struct Table {
    /// The columns' names.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Section {
    /// A section that has only its name yet.
    pub fn new(benchmark: Benchmark, about: impl Into<String>) -> Self {
        Self {
            name: benchmark.to_string(),
            about: about.into(),
            ..Self::default()
        }
    }

    /// A benchmark that gave nothing.
    pub fn failed(benchmark: Benchmark, why: &str) -> Self {
        Self {
            name: benchmark.to_string(),
            failure: Some(why.to_owned()),
            ..Self::default()
        }
    }

    /// Adds a figure that has to be at least so high.
    pub fn at_least(&mut self, what: &str, measured: Option<f64>, aim: f64, unit: &str) {
        self.figure(what, measured, aim, unit, "≥", |measured| measured >= aim);
    }

    /// Adds a figure that has to be at most so high.
    pub fn at_most(&mut self, what: &str, measured: Option<f64>, aim: f64, unit: &str) {
        self.figure(what, measured, aim, unit, "≤", |measured| measured <= aim);
    }

    fn figure(
        &mut self,
        what: &str,
        measured: Option<f64>,
        aim: f64,
        unit: &str,
        sign: &str,
        reached: impl Fn(f64) -> bool,
    ) {
        self.figures.push(Figure {
            what: what.to_owned(),
            measured: match measured {
                Some(measured) => format!("{} {unit}", plain(measured)),
                None => "not measured".to_owned(),
            },
            aim: format!("{sign} {} {unit}", plain(aim)),
            reached: measured.is_some_and(reached),
        });
    }
}

impl Table {
    /// A table without rows.
    pub fn new(head: &[&str]) -> Self {
        Self {
            head: head.iter().map(|&text| text.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// A number without digits that say nothing.
fn plain(number: f64) -> String {
    let text = match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Puts sections in the order in which benchmarks are listed, whatever the order they ran in.
pub fn put_in_order(sections: &mut [Section]) {
    let names: Vec<String> = Benchmark::value_variants()
        .iter()
        .map(ToString::to_string)
        .collect();
    sections.sort_by_key(|section| names.iter().position(|name| *name == section.name));
}

/// Everything, the aims first.
pub fn markdown(sections: &[Section]) -> String {
    let mut text = String::new();
    let mut aims = Table::new(&["figure", "measured", "aim", "reached"]);
    for figure in sections.iter().flat_map(|section| &section.figures) {
        aims.row([
            figure.what.clone(),
            figure.measured.clone(),
            figure.aim.clone(),
            if figure.reached { "yes" } else { "no" }.to_owned(),
        ]);
    }
    if !aims.rows.is_empty() {
        table(&mut text, &aims);
    }
    for section in sections {
        let _ = writeln!(text, "### {}\n", section.name);
        if let Some(failure) = &section.failure {
            let _ = writeln!(text, "**No result:** {failure}\n");
        }
        if !section.about.is_empty() {
            let _ = writeln!(text, "{}\n", section.about);
        }
        for one in &section.tables {
            table(&mut text, one);
        }
        for note in &section.notes {
            let _ = writeln!(text, "- {note}");
        }
        if !section.notes.is_empty() {
            text.push('\n');
        }
    }
    text.trim_end().to_owned()
}

fn table(text: &mut String, table: &Table) {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let _ = writeln!(text, "{}", line(&table.head));
    let _ = writeln!(text, "|{}", " --- |".repeat(table.head.len()));
    for row in &table.rows {
        let _ = writeln!(text, "{}", line(row));
    }
    text.push('\n');
}
