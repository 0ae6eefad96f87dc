//! One of ten real clusters fails, in every way and under every command: its failure is classed rightly
//! and within its deadline, what is said of the other nine is what is said of them when all is well,
//! and the exit code tells partial from total. Each fault meets some of the commands here; every
//! fault under every command, and that the others are done as soon as ever, is what
//! `cargo bench --bench fleet -- faults` measures, with the same cases.

mod ground;
mod verdict;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fault_cases::{CASES, Case, Does, Outcome};
use crate::harness::must;
use ground::{CLUSTERS, Ended, Ground};
use verdict::{classes_of, judge};

/// The cluster that fails.
const BAD: u8 = CLUSTERS;
/// Commands that run at the same time: most of them wait.
const AT_ONCE: usize = 8;

/// A command, and what it does.
struct Asked {
    words: Vec<String>,
    does: Does,
}

#[test]
fn one_cluster_that_fails_spoils_nothing_for_the_others() {
    let ground = Ground::new("torn");
    let commands = commands(&ground);
    let sound = ground.kubeconfig("sound.kubeconfig", &[]);
    let usual: Vec<Ended> = commands
        .iter()
        .enumerate()
        .map(|(index, command)| ground.run(&command.words(index, "usual"), &sound, &format!("usual-{index}")))
        .collect();
    for (command, ended) in commands.iter().zip(&usual) {
        assert_eq!(ended.code, Some(0), "{:?}: {}", command.words, ended.said());
    }
    let mut problems = reading(&ground, &commands, &usual);
    problems.extend(nobody_or_only_one_answers(&ground, &commands));
    problems.extend(CASES.iter().filter_map(|case| writing(&ground, case).err()));
    assert!(
        problems.is_empty(),
        "{} went wrong:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// Every command that talks to clusters and writes to none. The first is asked of every case.
fn commands(ground: &Ground) -> Vec<Asked> {
    let all = format!("{}-*", ground.lab.name);
    let (second, ninth, tenth) = (ground.name(2), ground.name(9), ground.name(BAD));
    let eight = ground.fleet("eight.yaml", 8);
    let ten = ground.fleet("ten.yaml", CLUSTERS);
    let ten = ten.as_str();
    let asked = |does: Does, words: &[&str]| Asked {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        does,
    };
    let json = ["-o", "json"];
    let with = |words: &[&'static str], more: &[&str]| -> Vec<String> {
        let words = words.iter().copied().chain(more.iter().copied()).chain(json);
        words.map(str::to_owned).collect()
    };
    let answering = |does, words: &[&'static str], more: &[&str]| Asked {
        words: with(words, more),
        does,
    };
    let fleet = ["--fleet", ten];
    vec![
        answering(Does::Identify, &["contexts", "--probe"], &[]),
        answering(Does::Observe, &["status"], &["--context", &all]),
        answering(Does::Judge, &["status"], &fleet),
        answering(Does::List, &["link", "list"], &fleet),
        answering(Does::List, &["trust", "show"], &fleet),
        answering(Does::Plan, &["plan"], &fleet),
        answering(Does::Plan, &["link", "sync", "--dry-run"], &fleet),
        answering(Does::Plan, &["apply", "--dry-run"], &fleet),
        answering(Does::Leave, &["leave", "--dry-run"], &[&second, "--fleet", ten]),
        asked(
            Does::Propose,
            &["join", &ninth, &tenth, "--dry-run", "--fleet", &eight],
        ),
        asked(
            Does::Propose,
            &[
                "init",
                "--yes",
                "--from-mesh",
                "--name",
                "torn",
                "--context",
                &all,
            ],
        ),
    ]
}

impl Asked {
    /// Its words in one turn: `init` writes a file of its own.
    fn words(&self, turn: impl std::fmt::Display, series: &str) -> Vec<String> {
        let mut words = self.words.clone();
        if words[0] == "init" {
            words.extend(["--fleet".to_owned(), format!("made-{series}-{turn}.yaml")]);
        }
        words
    }
}

/// Each case under the first command, and under one of the others in turn.
fn reading(ground: &Ground, commands: &[Asked], usual: &[Ended]) -> Vec<String> {
    let turns: Vec<(&Case, usize)> = CASES
        .iter()
        .enumerate()
        .flat_map(|(index, case)| [(case, 0), (case, 1 + index % (commands.len() - 1))])
        .collect();
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let Some((case, command)) = turns.get(turn) else {
                        return;
                    };
                    let (asked, usual) = (&commands[*command], &usual[*command]);
                    let stand_in = ground.stand_in(BAD, case);
                    let file = format!("reading-{turn}.kubeconfig");
                    let kubeconfig = ground.kubeconfig(&file, &[(BAD, stand_in.address)]);
                    let words = asked.words(turn, "reading");
                    let ended = ground.run(&words, &kubeconfig, &format!("reading-{turn}"));
                    let expected = case.outcome.expected(asked.does);
                    if let Err(why) = judge(expected, &ground.name(BAD), usual, &ended) {
                        let what = format!("{:?}, with one that {:?}: {why}", words.join(" "), case.name);
                        problems.lock().expect("nobody has panicked").push(what);
                    }
                }
            });
        }
    });
    problems.into_inner().expect("nobody has panicked")
}

/// All clusters are dead, or all but one: the exit code tells which.
fn nobody_or_only_one_answers(ground: &Ground, commands: &[Asked]) -> Vec<String> {
    let dead = CASES
        .iter()
        .find(|case| case.name == "refuses")
        .expect("there is such a case");
    let stand_in = ground.stand_in(BAD, dead);
    let mut problems = Vec::new();
    for (dead, code) in [(1..=CLUSTERS, 5), (2..=CLUSTERS, 4)] {
        let elsewhere: Vec<_> = dead.clone().map(|number| (number, stand_in.address)).collect();
        let series = format!("dead-{code}");
        let kubeconfig = ground.kubeconfig(&format!("{series}.kubeconfig"), &elsewhere);
        let all: BTreeSet<String> = dead.map(|number| ground.name(number)).collect();
        for (turn, asked) in commands.iter().enumerate() {
            // The one that answers is not among the contexts that join.
            let code = if asked.words[0] == "join" { 5 } else { code };
            let words = asked.words(turn, &series);
            let ended = ground.run(&words, &kubeconfig, &format!("{series}-{turn}"));
            let said = match ended.document() {
                Ok(document) => {
                    let one = |name: &String| classes_of(&document, |cluster| cluster == name);
                    all.iter().all(|name| one(name) == ["tcp"])
                        && classes_of(&document, |cluster| !all.contains(cluster)).is_empty()
                }
                Err(_) => ended.stderr.contains("(tcp)"),
            };
            if ended.code != Some(code) || !said {
                problems.push(format!("{words:?}, {series}: {:?}: {}", ended.code, ended.said()));
            }
        }
    }
    problems
}

/// Links are made again, and a cluster leaves, with something to write in another cluster and in the one
/// that fails, where the case has to do with writing.
fn writing(ground: &Ground, case: &Case) -> Result<(), String> {
    const ALSO: [&str; 5] = [
        "the answers to writes are lost",
        "silent after TLS",
        "401",
        "resets the first connection",
        "503 to the first three requests",
    ];
    if !matches!(case.outcome, Outcome::Unwritten(_)) && !ALSO.contains(&case.name) {
        return Ok(());
    }
    let sync = ["link", "sync", "--no-wait"];
    let missing = [(1, 2), (BAD, 1)];
    std::thread::scope(|scope| {
        for (reader, to) in missing {
            let delete = ["-n", "istio-system", "delete", "secret", "--ignore-not-found"];
            let mut command = ground.lab.kubectl(&ground.name(reader), &delete);
            command.arg(link(ground, to));
            scope.spawn(move || must(command));
        }
    });
    written(ground, case, &sync, missing, true)?;
    let leaving = ground.name(2);
    let left = written(
        ground,
        case,
        &["leave", &leaving, "--keep-mesh"],
        [(1, 2), (BAD, 2)],
        false,
    );
    let again = [&sync[..], &["--yes", "--fleet", "links.yaml"]].concat();
    must(ground.lab.stolos(&again));
    left
}

/// The Secret of a link to a cluster.
fn link(ground: &Ground, to: u8) -> String {
    format!("istio-remote-secret-{}", ground.name(to))
}

/// Runs a command after which links, each of a reader to another, are to stand or to be gone: the
/// first in a cluster that is well, the second in the bad one, where it may stay as it was.
fn written(
    ground: &Ground,
    case: &Case,
    command: &[&str],
    links: [(u8, u8); 2],
    are_to_stand: bool,
) -> Result<(), String> {
    let stand_in = ground.stand_in(BAD, case);
    let turn = format!("{}-{}", command[0], stand_in.address.port());
    let kubeconfig = ground.kubeconfig(&format!("{turn}.kubeconfig"), &[(BAD, stand_in.address)]);
    // One of its own: a cluster that has left is not in it any more.
    let fleet = ground.fleet(&format!("{turn}.yaml"), CLUSTERS);
    let more = ["--yes", "--fleet", &fleet, "-o", "json"];
    let words: Vec<String> = command.iter().copied().chain(more).map(str::to_owned).collect();
    let ended = ground.run(&words, &kubeconfig, &turn);
    let expected = case.outcome.expected(Does::Write);
    let why = |why: &str| {
        let command = command.join(" ");
        let name = case.name;
        Err(format!(
            "{command:?}, with one that {name:?}: {why}: {}",
            ended.said()
        ))
    };
    if ended.code != Some(expected.code) {
        return why(&format!("exit code {:?}, not {}", ended.code, expected.code));
    }
    let is_done = |(reader, to): (u8, u8)| {
        let arguments = ["-n", "istio-system", "secret", &link(ground, to)];
        ground.lab.object(&ground.name(reader), &arguments).is_some() == are_to_stand
    };
    if !is_done(links[0]) {
        return why("the other cluster was not written");
    }
    let document = ended.document()?;
    let bad = ground.name(BAD);
    let found = classes_of(&document, |cluster| cluster == bad);
    let is_right = |class: &String| expected.classes.contains(&class.as_str());
    if found.is_empty() != expected.classes.is_empty() || !found.iter().all(is_right) {
        return why(&format!("classed {found:?}, not {:?}", expected.classes));
    }
    if is_done(links[1]) != expected.classes.is_empty() {
        return why("what stands in the cluster itself is not what was said");
    }
    Ok(())
}
