//! Links put together: how many are few, and what is said of more.

use super::*;
use crate::status::link_report::{LinkFacts, Named};

/// One reader, `r`, whose links to these targets are missing, each for its reason.
fn missing(targets: &[(&str, &str)]) -> Links {
    let names = ["r"].into_iter().chain(targets.iter().map(|(name, _)| *name));
    let named = names.map(|name| Named {
        name: name.to_owned(),
        unread: None,
    });
    let mut links = Links::between(named.collect());
    for (to, (_, reason)) in (1_u32..).zip(targets) {
        let facts = LinkFacts {
            state: LinkState::Missing,
            reason: Reason::Said((*reason).to_owned().into()),
            observed: [].into(),
            secret: None,
            credential: None,
        };
        links.add_one(0, to, facts);
    }
    links.end()
}

fn only(told: Vec<Told<'_>>) -> Bundle<'_> {
    match told.into_iter().next() {
        Some(Told::Many(bundle)) => bundle,
        other => panic!("not many: {other:?}"),
    }
}

#[test]
fn a_few_are_told_one_by_one() {
    let links = missing(&[("c", "x"), ("a", "y"), ("b", "x")]);
    let each: Vec<(String, String)> = told(&links, |_| true, "")
        .into_iter()
        .map(|told| match told {
            Told::One(link) => (link.to.to_owned(), link.reason.into_owned()),
            Told::Many(bundle) => panic!("{bundle:?}"),
        })
        .collect();
    let expected = [("c", "x"), ("a", "y"), ("b", "x")];
    assert_eq!(each, expected.map(|(to, why)| (to.to_owned(), why.to_owned())));
}

#[test]
fn more_are_one_with_the_reason_of_all() {
    let targets = ["a", "b", "c", "d", "e", "f", "g"].map(|name| (name, "x"));
    let links = missing(&targets);
    let told = told(&links, |_| true, "");
    assert_eq!(told.len(), 1);
    let bundle = only(told);
    assert_eq!(bundle.count, 7);
    assert_eq!(bundle.some_names(2), "a, b and 5 more");
    assert_eq!(bundle.reason(), "x");
    assert_eq!(
        bundle.reasons_and_names(),
        "of each: x (a, b, c, d, e and 2 more)"
    );
}

#[test]
fn different_reasons_are_told_with_the_commonest_first() {
    let links = missing(&[
        ("a", "u"),
        ("b", "v"),
        ("c", "w"),
        ("d", "w"),
        ("e", "y"),
        ("f", "z"),
        ("g", "v"),
        ("h", "w"),
    ]);
    let bundle = only(told(&links, |_| true, ""));
    assert_eq!(bundle.reason(), "of 3: w; of 2: v; of 1: u; of 2: something else");
    assert_eq!(
        bundle.reasons_and_names(),
        "of 3: w (c, d, h); of 2: v (b, g); of 1: u (a); of 2: something else"
    );
}

#[test]
fn who_is_left_out_is_not_counted() {
    let targets = ["a", "b", "config", "d", "e"].map(|name| (name, "x"));
    let links = missing(&targets);
    assert_eq!(
        only(told(&links, |_| true, "config")).reasons_and_names(),
        "of each: x (a, b, d, e)"
    );
    let links = missing(&targets[..4]);
    assert_eq!(told(&links, |_| true, "config").len(), 3, "a few are left");
    assert!(told(&links, |_| false, "").is_empty());
}
