//! `noop`: an apply where everything stands as it should, and what it asks of the clusters.

use std::cell::RefCell;

use crate::arguments::{Arguments, Benchmark};
use crate::audit::{self, Asked};
use crate::clusters::Ground;
use crate::fixture::{self, Token};
use crate::job::{Runs, by_exit_code, in_turn};
use crate::outcome::missing_links;
use crate::report::{Section, Table};
use crate::trouble::{Outcome, Trouble};

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome<Section> {
    let ground = Ground::given()?;
    let clusters = &ground.clusters;
    fixture::furnish(&ground)?;
    fixture::put_back(clusters, Token::Issued)?;
    let kubeconfig = ground.kubeconfig_of_all("clusters.kubeconfig")?;
    let fleet = ground.fleet_of_links("links.yaml", clusters)?;
    let arguments_of = ["link", "sync", "--yes", "--no-wait", "--fleet"];
    let name = "stolos link sync, nothing to do";
    let job = ground
        .stolos(name, &kubeconfig, &arguments_of)
        .arguments([&fleet]);
    let first = job.run()?;
    if let Err(why) = by_exit_code(&first) {
        return Err(Trouble::new(format!("link the clusters: {why}")));
    }
    if let Some(missing) = missing_links(clusters)? {
        return Err(Trouble::new(format!("link the clusters: {missing}")));
    }
    let count = clusters.len();
    let mut section = Section::new(
        Benchmark::Noop,
        format!(
            "{count} real clusters whose {} links stand: the fleet manages links alone, and no istiod runs, so \
             `link sync --no-wait` is the apply that has nothing to do. What it asked is counted in the audit logs.",
            count * (count - 1)
        ),
    );
    let moment = RefCell::new(audit::now(clusters)?);
    let mut asked: Vec<Asked> = Vec::new();
    let all = in_turn(
        &[job],
        arguments.runs,
        |_| {
            moment.replace(audit::now(clusters)?);
            Ok(())
        },
        |_, metered| {
            asked.push(audit::since(&moment.borrow(), clusters)?);
            Ok(by_exit_code(metered))
        },
    )?;
    let mut table = Table::new(&Runs::HEAD);
    for runs in &all {
        table.row(runs.cells(runs));
    }
    section.tables.push(table);
    let mut table = Table::new(&["of each run", "least", "most"]);
    for (what, of) in [
        ("requests", (|asked| asked.requests) as fn(&Asked) -> usize),
        ("writes", Asked::writes),
        ("reviews, which store nothing", |asked| asked.reviews),
        ("lists", Asked::lists),
        ("kinds listed", |asked| asked.lists.len()),
    ] {
        let range = asked.iter().map(of).min().zip(asked.iter().map(of).max());
        if let Some((least, most)) = range {
            table.row([what.to_owned(), least.to_string(), most.to_string()]);
        }
    }
    section.tables.push(table);
    let most = |of: fn(&Asked) -> usize| asked.iter().map(of).max().map(|most| most as f64);
    section.at_most("no-op apply: writes", most(Asked::writes), 0.0, "");
    if let Some(kinds) = asked.iter().map(|asked| asked.lists.len()).min() {
        let what = format!("no-op apply: lists ({kinds} kinds × {count} clusters)");
        section.at_most(&what, most(Asked::lists), (kinds * count) as f64, "");
    }
    if let Some(last) = asked.last() {
        let several: Vec<String> = last
            .lists
            .iter()
            .map(|(kind, lists)| format!("{kind} {:.1}", *lists as f64 / count as f64))
            .collect();
        section.notes.push(format!(
            "Lists of each kind for each cluster, last run: {}.",
            several.join(", ")
        ));
        if last.writes() > 0 {
            section
                .notes
                .push(format!("Writes, last run: {:?}.", last.writes));
        }
    }
    section.notes.extend(all.iter().filter_map(Runs::complaint));
    Ok(section)
}
