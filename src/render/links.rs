//! Links for reading: a list, or for many a matrix with the exceptions.

use std::collections::BTreeMap;

use super::look::{Color, Look, painted};
use super::table::table;
use crate::inventory::credential::CredentialKind;
use crate::status::{LinkReport, LinkState};

/// More links than these are shown as a matrix, and only the exceptions as a list.
const LISTED_LINKS: usize = 20;

/// The links: all of them where they are few, else a matrix and those that are not as they should be.
pub fn links(links: &[LinkReport], look: Look) -> String {
    if links.is_empty() {
        return String::new();
    }
    if links.len() <= LISTED_LINKS {
        return list(links.iter(), look);
    }
    let mut text = matrix(links);
    if links.iter().any(|link| link.state != LinkState::Synced) {
        text.push('\n');
        text.push_str(&list(
            links.iter().filter(|link| link.state != LinkState::Synced),
            look,
        ));
    }
    text
}

fn list<'report>(links: impl Iterator<Item = &'report LinkReport>, look: Look) -> String {
    let links: Vec<&LinkReport> = links.collect();
    let text = table(
        ["IN", "TO", "STATE", "OBSERVED", "CREDENTIAL", "REASON"],
        links.iter().map(|link| {
            let reason = match link.state {
                LinkState::Synced => String::new(),
                _ => link.reason.clone(),
            };
            [
                link.inside.clone(),
                link.to.clone(),
                link.state.as_str().to_owned(),
                observed(link),
                credential(link),
                reason,
            ]
        }),
    );
    let lines = text.lines().enumerate().map(|(number, line)| {
        let state = number
            .checked_sub(1)
            .and_then(|row| links.get(row))
            .map(|link| link.state);
        let color = match state {
            None | Some(LinkState::Synced | LinkState::Paused) => Color::None,
            Some(state) if state.is_error() => Color::Red,
            Some(_) => Color::Yellow,
        };
        painted(line, color, look) + "\n"
    });
    lines.collect()
}

/// What the replicas say, each word once, with how many say it where they are several.
fn observed(link: &LinkReport) -> String {
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for observed in &link.observed {
        let word = match (&observed.sync_status, &observed.error) {
            (Some(status), _) => status.as_str(),
            (None, Some(_)) => "silent",
            (None, None) => "not listed",
        };
        *words.entry(word).or_default() += 1;
    }
    let told: Vec<String> = words
        .iter()
        .map(|(word, count)| match link.observed.len() {
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

fn credential(link: &LinkReport) -> String {
    let Some(credential) = &link.credential else {
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

/// One row a reading cluster, one column a read one; a letter or sign each.
fn matrix(links: &[LinkReport]) -> String {
    let mut columns: Vec<&str> = links.iter().map(|link| link.to.as_str()).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut rows: BTreeMap<&str, BTreeMap<&str, char>> = BTreeMap::new();
    for link in links {
        rows.entry(&link.inside)
            .or_default()
            .insert(&link.to, sign(link.state));
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
    text
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
mod tests {
    use super::*;

    fn link(inside: &str, to: &str, state: LinkState) -> LinkReport {
        LinkReport {
            inside: inside.to_owned(),
            to: to.to_owned(),
            state,
            reason: format!("why {}", state.as_str()),
            observed: Vec::new(),
            secret: None,
            credential: None,
        }
    }

    #[test]
    fn many_links_are_a_matrix_and_the_exceptions() {
        let names = ["a", "bb", "c", "d", "e", "f"];
        let mut all = Vec::new();
        for inside in names {
            for to in names.into_iter().filter(|to| *to != inside) {
                let state = match (inside, to) {
                    ("bb", "c") => LinkState::Rejected,
                    ("f", "a") => LinkState::Unreachable,
                    _ => LinkState::Synced,
                };
                all.push(link(inside, to, state));
            }
        }
        let text = links(&all, Look::default());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "IN \\ TO    1  2  3  4  5  6");
        assert_eq!(lines[1], "a             +  +  +  +  +");
        assert_eq!(lines[2], "bb         +     !  +  +  +");
        assert_eq!(lines[6], "f          ?  +  +  +  +");
        assert_eq!(lines[7], "to: 1 a, 2 bb, 3 c, 4 d, 5 e, 6 f");
        assert_eq!(
            text.matches("why ").count(),
            2,
            "only the exceptions are listed: {text}"
        );
    }

    #[test]
    fn only_lines_that_are_not_well_are_coloured() {
        let look = Look {
            colored: true,
            wide: false,
        };
        let text = links(
            &[
                link("a", "b", LinkState::Synced),
                link("b", "a", LinkState::Stale),
            ],
            look,
        );
        let lines: Vec<&str> = text.lines().collect();
        assert!(!lines[1].contains('\u{1b}'), "{text}");
        assert!(
            lines[2].starts_with("\u{1b}[31m") && lines[2].ends_with("\u{1b}[0m"),
            "{text}"
        );
    }
}
