//! Links for reading: a list where they are few, else a matrix or what there is of each state, and
//! the exceptions.

use std::collections::{BTreeMap, BTreeSet};

use super::look::{Color, Look, painted};
use super::table::Columns;
use crate::inventory::credential::CredentialKind;
use crate::status::link_report::LinkGroup;
use crate::status::link_state::{CredentialReport, Observed};
use crate::status::told::{Told, told};
use crate::status::{LinkReport, LinkState, Links};
use crate::words::{number, some_of};

/// More links than these are shown together, and only the exceptions as a list.
const LISTED_LINKS: usize = 20;
/// A matrix of more columns fits on no terminal.
const COLUMNS: usize = 40;
/// So many exceptions are listed where not everything is asked for.
const EXCEPTIONS: usize = 50;
/// So many targets of one exception are named.
const TARGETS: usize = 2;

/// One line of the list, with the state that colours it.
type Row = (LinkState, [String; 6]);

/// The links: all of them where they are few, else together and those that are not as they should be.
pub fn links(links: &Links, look: Look) -> String {
    if links.is_empty() {
        return String::new();
    }
    if links.len() <= LISTED_LINKS {
        let rows: Vec<Row> = links.iter().map(|link| row(&link)).collect();
        return list(&rows, look);
    }
    let mut text = matrix(links).unwrap_or_else(|| states(links, look));
    let is_exception = |group: &LinkGroup| group.facts().state != LinkState::Synced;
    let exceptions = told(links, is_exception, "");
    if exceptions.is_empty() {
        return text;
    }
    let shown = if look.wide { exceptions.len() } else { EXCEPTIONS };
    let rows: Vec<Row> = exceptions.iter().take(shown).map(exception).collect();
    text.push('\n');
    text.push_str(&list(&rows, look));
    if let Some(more @ 1..) = exceptions.len().checked_sub(shown) {
        text.push_str(&format!(
            "and {} of links that are not synced: `-o wide` has all lines, `-o json` each link\n",
            number(more, "more line")
        ));
    }
    text
}

fn list(rows: &[Row], look: Look) -> String {
    let header = ["IN", "TO", "STATE", "OBSERVED", "CREDENTIAL", "REASON"];
    let columns = Columns::of(&header, rows.iter().map(|(_, cells)| cells));
    let mut text = columns.line(&header);
    for (state, cells) in rows {
        let line = columns.line(cells);
        text.push_str(&painted(line.trim_end(), color(*state), look));
        text.push('\n');
    }
    text
}

fn color(state: LinkState) -> Color {
    match state {
        LinkState::Synced | LinkState::Paused => Color::None,
        state if state.is_error() => Color::Red,
        _ => Color::Yellow,
    }
}

fn row(link: &LinkReport<'_>) -> Row {
    let reason = match link.state {
        LinkState::Synced => String::new(),
        _ => link.reason.to_string(),
    };
    let cells = [
        link.inside.to_owned(),
        link.to.to_owned(),
        link.state.as_str().to_owned(),
        observed(link.observed),
        credential(link.credential),
        reason,
    ];
    (link.state, cells)
}

/// One link, or all of a reader in one state.
fn exception(told: &Told<'_>) -> Row {
    match told {
        Told::One(link) => row(link),
        Told::Many(bundle) => {
            let facts = bundle.groups.iter().map(|group| group.facts());
            let each = facts.map(|facts| (observed(&facts.observed), credential(facts.credential.as_ref())));
            let (said, credentials): (BTreeSet<String>, BTreeSet<String>) = each.unzip();
            let (state, mut cells) = row(&bundle.first);
            cells[1] = bundle.some_names(TARGETS);
            cells[3] = one_or_several(&said);
            cells[4] = one_or_several(&credentials);
            cells[5] = bundle.reason();
            (state, cells)
        }
    }
}

fn one_or_several(words: &BTreeSet<String>) -> String {
    match words.first() {
        Some(word) if words.len() == 1 => word.clone(),
        _ => "several".to_owned(),
    }
}

/// How many links are in each state, and in which clusters.
fn states(links: &Links, look: Look) -> String {
    let mut states: BTreeMap<LinkState, (usize, BTreeSet<u32>)> = BTreeMap::new();
    for group in links.groups() {
        let (count, readers) = states.entry(group.facts().state).or_default();
        *count += group.len();
        readers.insert(group.inside());
    }
    let header = ["STATE", "LINKS", "IN"];
    let rows: Vec<(LinkState, [String; 3])> = states
        .into_iter()
        .map(|(state, (count, readers))| {
            let readers = some_of(readers.into_iter().map(|reader| links.name(reader)));
            let cells = [state.as_str().to_owned(), count.to_string(), readers];
            (state, cells)
        })
        .collect();
    let columns = Columns::of(&header, rows.iter().map(|(_, cells)| cells));
    let mut text = columns.line(&header);
    for (state, cells) in &rows {
        text.push_str(&painted(columns.line(cells).trim_end(), color(*state), look));
        text.push('\n');
    }
    text
}

/// What the replicas say, each word once, with how many say it where they are several.
fn observed(all: &[Observed]) -> String {
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for observed in all {
        let word = match (&observed.sync_status, &observed.error) {
            (Some(status), _) => status.as_str(),
            (None, Some(_)) => "silent",
            (None, None) => "not listed",
        };
        *words.entry(word).or_default() += 1;
    }
    let told: Vec<String> = words
        .iter()
        .map(|(word, count)| match all.len() {
            1 => (*word).to_owned(),
            _ => format!("{count} {word}"),
        })
        .collect();
    if told.is_empty() {
        "-".to_owned()
    } else {
        told.join(", ")
    }
}

fn credential(credential: Option<&CredentialReport>) -> String {
    let Some(credential) = credential else {
        return "-".to_owned();
    };
    let kind = match credential.kind {
        CredentialKind::TokenSecret => "token",
        CredentialKind::BoundToken => "bound token",
        CredentialKind::ClientCertificate => "certificate",
        CredentialKind::Other => "other",
    };
    match &credential.expires_at {
        Some(end) => format!("{kind} until {end}"),
        None => kind.to_owned(),
    }
}

/// One row a reading cluster, one column a read one; a letter or sign each. None where it is too wide.
fn matrix(links: &Links) -> Option<String> {
    let mut numbers: BTreeSet<u32> = BTreeSet::new();
    for group in links.groups() {
        numbers.extend(group.to().take(COLUMNS + 1));
        if numbers.len() > COLUMNS {
            return None;
        }
    }
    let mut columns: Vec<&str> = numbers.into_iter().map(|number| links.name(number)).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut rows: BTreeMap<&str, BTreeMap<&str, char>> = BTreeMap::new();
    for link in links.iter() {
        rows.entry(link.inside)
            .or_default()
            .insert(link.to, sign(link.state));
    }
    let width = rows
        .keys()
        .map(|name| name.len())
        .max()
        .unwrap_or_default()
        .max("IN \\ TO".len());
    let mut text = format!("{:width$}  ", "IN \\ TO");
    for number in 1..=columns.len() {
        text.push_str(&format!("{number:>3}"));
    }
    text.push('\n');
    for (name, states) in &rows {
        text.push_str(&format!("{name:width$}  "));
        for column in &columns {
            let sign = states.get(column).copied().unwrap_or(' ');
            text.push_str(&format!("{sign:>3}"));
        }
        let end = text.trim_end().len();
        text.truncate(end);
        text.push('\n');
    }
    let names: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, name)| format!("{} {name}", index + 1))
        .collect();
    text.push_str(&format!(
        "to: {}\n+ synced  ~ syncing  = paused  ? unknown or unreachable  ! anything else, below\n",
        names.join(", ")
    ));
    Some(text)
}

fn sign(state: LinkState) -> char {
    match state {
        LinkState::Synced => '+',
        LinkState::Syncing => '~',
        LinkState::Paused => '=',
        LinkState::Unknown | LinkState::Unreachable => '?',
        LinkState::Rejected | LinkState::Stale | LinkState::Missing | LinkState::Timeout => '!',
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
