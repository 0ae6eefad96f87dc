//! Every command of the binary on a sample of inputs made wrong: what it prints, what it leaves on
//! the disk, what it asks of servers, what stands in the arguments of processes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::known::Known;
use crate::server::Request;
use crate::verdict::Verdict;
use crate::watch::Watch;
use crate::world::{Input, SEED, Scene, World};

/// Each with its own kubeconfig, answers, fleet file or passphrase made wrong.
const INPUTS: u64 = 200;

/// Homes in which commands run at the same time.
const WORLDS: usize = 4;

/// Every command that ends in a verb, with arguments that let it do something.
fn commands() -> Vec<Vec<&'static str>> {
    let told = [
        "contexts",
        "contexts --probe --request-timeout 1s",
        "contexts --probe --context plugin-* --request-timeout 1s",
        "init --yes --context east --model multi-primary --fleet new.yaml --name new",
        "init --yes --context at-* --context west --from-mesh --fleet seen.yaml --name new --request-timeout 1s",
        "join east --dry-run",
        "join at-in-the-url plugin-2 --request-timeout 1s",
        "leave west --yes --timeout 1s",
        "leave west --yes --forget --keep-mesh --timeout 1s",
        "clusters",
        "plan",
        "plan --exit-code --cluster east",
        "plan --out .local/saved.json",
        "apply .local/saved.json --yes --timeout 1s",
        "apply --yes --allow-disruption --timeout 1s --passphrase-file words --change-ref T-1",
        "apply --dry-run",
        "status",
        "status --context plugin-* --context east --request-timeout 1s",
        "explain",
        "explain link-rejected",
        "trust init --passphrase-file words",
        "trust issue --yes --timeout 1s --passphrase-file words --allow-disruption",
        "trust show",
        "mesh install --yes --timeout 1s --allow-disruption",
        "mesh models",
        "mesh show",
        "mesh uninstall --yes --crds --timeout 1s --allow-disruption",
        "mesh upgrade new --dry-run",
        "link sync --yes --timeout 1s",
        "link list",
        "lab list",
        "lab env --name nowhere",
        "lab down --name nowhere",
        "lab exec --name nowhere -- true",
        "lab stop --name nowhere east",
        "lab start --name nowhere east",
        "completion bash",
        "man",
    ];
    told.iter().map(|line| line.split(' ').collect()).collect()
}

/// Verbs that are not run: they build programs or start clusters and read no input of these.
const NOT_RUN: [&str; 5] = ["lab up", "lab demo", "lab parts", "lab inside", "help"];

#[test]
fn the_commands_are_all_commands() {
    let mut verbs = BTreeSet::new();
    let root = stolos::cli::command();
    for group in root.get_subcommands() {
        let below: Vec<_> = group.get_subcommands().collect();
        if below.is_empty() {
            verbs.insert(group.get_name().to_owned());
        }
        verbs.extend(
            below
                .iter()
                .map(|verb| format!("{} {}", group.get_name(), verb.get_name())),
        );
    }
    let run: Vec<String> = commands().iter().map(|command| command.join(" ") + " ").collect();
    for verb in verbs {
        let is_run = run.iter().any(|line| line.starts_with(&format!("{verb} ")));
        let is_not = NOT_RUN.iter().any(|not| verb.starts_with(not));
        assert!(is_run != is_not, "is `{verb}` run here?");
    }
}

#[test]
fn every_command_on_every_input_made_wrong_says_nothing() {
    let mut known = Known::new(SEED);
    let scene = Scene::new(&mut known);
    let (known, scene) = (&known, &scene);
    let next = &AtomicU64::new(0);
    let watch = Watch::begin();
    let runs: usize = std::thread::scope(|scope| {
        let running: Vec<_> = (0..WORLDS)
            .map(|_| scope.spawn(move || run_inputs(&World::new(scene), known, next)))
            .collect();
        running.into_iter().map(|share| share.join().unwrap()).sum()
    });
    let command_lines = watch.end();
    assert_eq!(runs, INPUTS as usize * commands().len());
    let verdict = Verdict::new(known);
    let is = |line: &&Vec<u8>, word: &[u8]| line.windows(word.len()).any(|part| part == word);
    assert!(command_lines.iter().any(|line| is(&line, b"stolos\0")));
    // A credential plugin's own arguments are what its kubeconfig gives it.
    for line in command_lines.iter().filter(|line| !is(line, b"/plugin-")) {
        verdict.look_strictly("a process's arguments", line);
    }
    verdict.assert_clean();
}

/// Gives one input after the other to every command, until there are no more; gives the number of
/// runs.
fn run_inputs(world: &World, known: &Known, next: &AtomicU64) -> usize {
    let verdict = Verdict::new(known);
    let commands = commands();
    let mut runs = 0;
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= INPUTS {
            break;
        }
        let input = world.input(number);
        for (place, command) in commands.iter().enumerate() {
            world.lay_out(&input);
            // Over ten inputs, of each kind, every command has every format.
            let formats = ["", "json", "wide", "yaml", "diff"];
            let formats = &formats[..formats.len() - usize::from(!plans(command))];
            let format = formats[(number as usize + number as usize / 10 + place) % formats.len()];
            run_one(world, &verdict, &input, command, format);
            runs += 1;
        }
        look_around(world, &verdict, &input);
    }
    verdict.assert_clean();
    runs
}

/// Runs one command on what is laid out, and looks at what it prints.
fn run_one(world: &World, verdict: &Verdict<'_>, input: &Input, command: &[&str], format: &str) {
    let mut arguments: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    let at = arguments
        .iter()
        .position(|word| word == "--")
        .unwrap_or(arguments.len());
    arguments.insert(at, "-vvv".to_owned());
    if !format.is_empty() && takes_format(command) {
        arguments.extend(["-o".to_owned(), format.to_owned()]);
    }
    let what = format!(
        "input {} of the seed {SEED:#x}: stolos {}",
        input.number,
        arguments.join(" ")
    );
    let output = world.command(&arguments).output().unwrap();
    let code = output.status.code();
    let text = [output.stdout, output.stderr].concat();
    verdict.look(&what, &text, || input.public.clone());
    let is_panic = text.windows(11).any(|part| part == b"panicked at");
    assert!(
        code.is_some_and(|code| code < 70) && !is_panic,
        "{what}: {code:?}: {}",
        String::from_utf8_lossy(&text)
    );
}

/// Looks at what the commands asked and left behind.
fn look_around(world: &World, verdict: &Verdict<'_>, input: &Input) {
    for server in &world.servers {
        for request in server.take_requests() {
            look_at_request(verdict, &request, input.number);
        }
    }
    for folder in ["tmp", "arguments", ".local", ".cache", ".config"] {
        look_below(verdict, world, &world.path(folder), &input.public);
    }
    // Once looked at, a journal has had its time. Where the passphrase is what is wrong, the next
    // root is made with the next one.
    for done in ["arguments", ".local/state", ".local/saved.json"] {
        remove(&world.path(done));
    }
    if input.is_of_passphrases() {
        remove(&world.path(".local/share"));
    }
}

fn takes_format(command: &[&str]) -> bool {
    ["contexts", "clusters", "plan", "apply", "status", "leave"].contains(&command[0])
        || [
            ["trust", "show"],
            ["link", "list"],
            ["link", "sync"],
            ["trust", "issue"],
            ["mesh", "install"],
            ["mesh", "show"],
            ["mesh", "uninstall"],
        ]
        .iter()
        .any(|with| command.starts_with(with))
}

/// Whether what it prints is a plan.
fn plans(command: &[&str]) -> bool {
    ["plan", "apply", "leave"].contains(&command[0])
        || ["sync", "issue", "install", "uninstall"].contains(command.get(1).unwrap_or(&""))
}

/// A canary is in the header that shows it and in the Secret that holds it, and nowhere else.
fn look_at_request(verdict: &Verdict<'_>, request: &Request, number: u64) {
    let what = format!("input {number}: {} {}", request.method, request.target);
    verdict.look_strictly(&what, request.target.as_bytes());
    let others: Vec<&str> = request
        .headers
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("authorization:"))
        .collect();
    verdict.look_strictly(&what, others.join("\n").as_bytes());
    let Ok(mut body) = serde_json::from_slice::<Value>(&request.body) else {
        return;
    };
    if body["kind"] == "Secret" {
        body["data"] = Value::Null;
    }
    if body["kind"] == "TokenReview" {
        body["spec"]["token"] = Value::Null;
    }
    verdict.look_strictly(&format!("{what}, its body"), body.to_string().as_bytes());
}

/// Looks at a file, or at every file below a folder; temporary ones must be gone.
fn look_below(verdict: &Verdict<'_>, world: &World, path: &Path, public: &str) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap().flatten() {
            look_below(verdict, world, &entry.path(), public);
        }
        return;
    }
    assert!(
        !path.starts_with(world.path("tmp")),
        "{} was left behind",
        path.display()
    );
    if let Ok(content) = std::fs::read(path) {
        verdict.look(&path.display().to_string(), &content, || public.to_owned());
    }
}

fn remove(path: &Path) {
    let gone = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
    assert!(gone.is_ok() || !path.exists(), "{}", path.display());
}
