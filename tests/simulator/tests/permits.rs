//! Few descriptors and many clusters: the connections of clusters that are done make room for
//! those of others, whoever is silent holds his only until his deadline, and every command ends.

use std::collections::BTreeSet;

use simulator::{Content, Detail, Fault, Options};

use crate::used::{Said, Used};

const CLUSTERS: usize = 120;

/// Half of them are for connections.
const DESCRIPTORS: usize = 64;

const COMMANDS: [&[&str]; 2] = [
    &["contexts", "--probe", "-o", "json"],
    &["status", "--context", "sim-*", "-o", "json"],
];

fn many() -> Used {
    Used::new(Options {
        clusters: CLUSTERS,
        content: Content::Linked(1),
        detail: Detail::Counts,
        ..Options::default()
    })
}

fn names(used: &Used, numbers: impl Iterator<Item = usize>) -> BTreeSet<String> {
    numbers
        .map(|number| used.fleet.cluster(number).name.clone())
        .collect()
}

#[test]
fn many_clusters_are_read_with_few_descriptors() {
    let used = many();
    // Linked in a ring they are no full mesh, which `status` finds.
    for (command, code) in COMMANDS.into_iter().zip([0, 3]) {
        let output = used.stolos_with(DESCRIPTORS, command);
        let said = Said::by(&output);
        assert_eq!(said.read, names(&used, 1..=CLUSTERS), "{command:?}");
        assert!(said.failed.is_empty(), "{command:?}: {:?}", said.failed);
        assert_eq!(output.status.code(), Some(code), "{command:?}");
    }
}

/// More of them than there can be connections at a time.
#[test]
fn silent_clusters_hold_nobody_up_for_longer_than_their_deadlines() {
    let silent = 45;
    let used = many();
    // The first ones, so that they are asked before the others.
    for number in 1..=silent {
        let faults = [Fault::BlackHole, Fault::SilentAfterHandshake];
        used.fleet.cluster(number).set_fault(faults[number % 2].clone());
    }
    for (command, code) in COMMANDS.into_iter().zip([4, 3]) {
        let command = [command, &["--request-timeout", "6s"]].concat();
        let output = used.stolos_with(DESCRIPTORS, &command);
        let said = Said::by(&output);
        assert_eq!(said.read, names(&used, silent + 1..=CLUSTERS), "{command:?}");
        let failed: BTreeSet<String> = said.failed.keys().cloned().collect();
        assert_eq!(failed, names(&used, 1..=silent), "{command:?}");
        let classes: BTreeSet<&String> = said.failed.values().collect();
        assert!(classes.iter().eq(&["timeout"]), "{command:?}: {classes:?}");
        assert_eq!(output.status.code(), Some(code), "{command:?}");
    }
}
