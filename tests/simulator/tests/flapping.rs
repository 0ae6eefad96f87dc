//! A cluster that flaps: it resets connections, refuses them, answers 503, is silent and is well, by
//! turns. By its deadline it has answered or has its class, and nobody else is held up by it.

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use simulator::{Content, Fault, Options};

use crate::used::{Said, Used};

/// Long enough for those who are well, on a machine that is busy with other tests.
const DEADLINE: &str = "6s";

/// How long a turn is: many of them pass within a deadline.
const TURN: Duration = Duration::from_millis(35);

const CLUSTERS: usize = 4;

/// Clusters in a mesh, of which the first will flap.
fn mesh() -> Used {
    Used::new(Options {
        clusters: CLUSTERS,
        content: Content::Linked(CLUSTERS - 1),
        ..Options::default()
    })
}

/// Runs a command while the first cluster is one thing after the other.
#[track_caller]
fn while_flapping(used: &Used, turns: &[Fault], command: &[&str]) -> Output {
    let flapping = used.fleet.cluster(1);
    let is_over = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            for fault in turns.iter().cycle() {
                flapping.set_fault(fault.clone());
                std::thread::sleep(TURN);
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let output = used.stolos(command);
        is_over.store(true, Ordering::Relaxed);
        output
    });
    flapping.heal();
    output
}

#[test]
fn a_cluster_that_flaps_has_its_answer_or_its_class_and_the_others_their_answers() {
    let used = mesh();
    // Connections from one turn do not see the next but one: what was made to be answered 503 is
    // reset before anything else is.
    let never_well = [Fault::Status(503, None), Fault::Refused, Fault::ResetOnAccept];
    let at_times_well = [
        Fault::ResetOnAccept,
        Fault::None,
        Fault::Status(503, Some(1)),
        Fault::ResetAfterRequest(false),
        Fault::None,
        Fault::Refused,
        Fault::HalfBody,
    ];
    let mut failures = 0;
    for turns in [&never_well[..], &at_times_well[..]] {
        for command in ["contexts --probe", "status --context sim-*", "status", "plan"] {
            let mut words: Vec<&str> = command.split(' ').collect();
            words.extend(["-o", "json", "--request-timeout", DEADLINE]);
            let output = while_flapping(&used, turns, &words);
            let mut said = Said::by(&output);
            if let Some(class) = said.failed.remove(&used.fleet.cluster(1).name) {
                // Reset before TLS stands, or after.
                let classes = ["tcp", "tls", "server", "timeout"];
                assert!(
                    classes.contains(&class.as_str()),
                    "{command}: {class}: {output:?}"
                );
                assert_eq!(output.status.code(), Some(4), "{command}: {output:?}");
                failures += 1;
            }
            assert!(said.failed.is_empty(), "{command}: {:?}: {output:?}", said.failed);
            if command != "plan" {
                let others = used.fleet.clusters()[1..].iter();
                let unread: Vec<&str> = others
                    .map(|cluster| cluster.name.as_str())
                    .filter(|name| !said.read.contains(*name))
                    .collect();
                assert!(unread.is_empty(), "{command}: {unread:?}");
            }
        }
    }
    assert!(failures > 0, "it was well all the time");
    used.must(&["status"]);
}

#[test]
fn the_others_are_told_before_a_cluster_that_takes_its_whole_time() {
    let used = mesh();
    let turns = [
        Fault::Status(503, None),
        Fault::BlackHole,
        Fault::SilentAfterHandshake,
    ];
    for command in ["contexts --probe", "status --context sim-*"] {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.extend(["-v", "--request-timeout", DEADLINE]);
        let output = while_flapping(&used, &turns, &words);
        assert_eq!(output.status.code(), Some(4), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        // A line for each cluster as it is done.
        let names: Vec<&str> = told
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, rest)| name.starts_with("sim-") && rest.contains(" ms"))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names.len(), CLUSTERS, "{told}");
        assert_eq!(names.last(), Some(&used.fleet.cluster(1).name.as_str()), "{told}");
    }
}
