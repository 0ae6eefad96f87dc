//! Links as they are shown: few, many, very many.

use super::*;
use crate::status::link_report::{LinkFacts, Named, Reason};

/// The links of every cluster to every other one, each in the state that it is said to be in.
fn mesh(names: &[impl AsRef<str>], state: impl Fn(&str, &str) -> LinkState) -> Links {
    let named = names.iter().map(|name| Named {
        name: name.as_ref().to_owned(),
        unread: None,
    });
    let mut links = Links::between(named.collect());
    for (inside, reader) in (0_u32..).zip(names) {
        for (to, target) in (0_u32..).zip(names).filter(|(to, _)| *to != inside) {
            let state = state(reader.as_ref(), target.as_ref());
            let facts = LinkFacts {
                state,
                reason: Reason::Said(format!("why {}", state.as_str()).into()),
                observed: [].into(),
                secret: None,
                credential: None,
            };
            links.add_one(inside, to, facts);
        }
    }
    links.end()
}

fn many(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("c{number:04}")).collect()
}

#[test]
fn many_links_are_a_matrix_and_the_exceptions() {
    let all = mesh(&["a", "bb", "c", "d", "e", "f"], |inside, to| {
        match (inside, to) {
            ("bb", "c") => LinkState::Rejected,
            ("f", "a") => LinkState::Unreachable,
            _ => LinkState::Synced,
        }
    });
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
    let all = mesh(&["a", "b"], |inside, _| match inside {
        "a" => LinkState::Synced,
        _ => LinkState::Stale,
    });
    let text = links(&all, look);
    let lines: Vec<&str> = text.lines().collect();
    assert!(!lines[1].contains('\u{1b}'), "{text}");
    assert!(
        lines[2].starts_with("\u{1b}[31m") && lines[2].ends_with("\u{1b}[0m"),
        "{text}"
    );
}

#[test]
fn a_reader_with_many_exceptions_has_one_line_a_state() {
    let all = mesh(&["a", "b", "c", "d", "e", "f"], |inside, to| match (inside, to) {
        ("a", "f") => LinkState::Timeout,
        ("a", _) => LinkState::Missing,
        _ => LinkState::Synced,
    });
    let text = links(&all, Look::default());
    let exceptions: Vec<&str> = text.lines().filter(|line| line.contains("why")).collect();
    assert_eq!(
        exceptions,
        [
            "a   b, c and 2 more  missing  -         -           why missing",
            "a   f                timeout  -         -           why timeout",
        ],
        "{text}"
    );
}

#[test]
fn a_matrix_that_is_too_wide_is_what_there_is_of_each_state() {
    let fits = mesh(&many(40), |_, _| LinkState::Synced);
    assert!(links(&fits, Look::default()).starts_with("IN \\ TO"));
    let all = mesh(&many(41), |inside, to| match (inside, to) {
        ("c0003", "c0007") => LinkState::Rejected,
        _ => LinkState::Synced,
    });
    assert_eq!(
        links(&all, Look::default()),
        "STATE     LINKS  IN\n\
         rejected  1      c0003\n\
         synced    1639   c0001, c0002, c0003, c0004, c0005 and 36 more\n\
         \n\
         IN     TO     STATE     OBSERVED  CREDENTIAL  REASON\n\
         c0003  c0007  rejected  -         -           why rejected\n"
    );
}

#[test]
fn very_many_exceptions_are_counted_unless_all_are_asked_for() {
    let all = mesh(&many(80), |_, _| LinkState::Missing);
    let text = links(&all, Look::default());
    // The states, a space, the list, what is not in it.
    assert_eq!(text.lines().count(), 2 + 1 + 1 + EXCEPTIONS + 1, "{text}");
    assert!(
        text.ends_with(
            "\nand 30 more lines of links that are not synced: `-o wide` has all lines, `-o json` each link\n"
        ),
        "{text}"
    );
    let look = Look {
        wide: true,
        colored: false,
    };
    let text = links(&all, look);
    assert_eq!(text.matches("why missing").count(), 80, "{text}");
}
