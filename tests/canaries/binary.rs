//! Every command of the binary on a sample of inputs made wrong: what it prints, what it leaves on
//! the disk, what it asks of servers, what stands in the arguments of processes.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::chance::Chance;
use crate::cluster::Cluster;
use crate::known::Known;
use crate::mutation::{make_bytes_wrong, wrong_text};
use crate::server::{Request, Server};
use crate::verdict::Verdict;
use crate::{files, seeds};

const SEED: u64 = 0x6269_6e61;
/// Each with its own kubeconfig, answers, fleet file or passphrase made wrong.
const INPUTS: u64 = 200;

/// A hermetic home, the servers that it reaches, and the canaries of both.
struct World {
    folder: tempfile::TempDir,
    servers: Vec<Server>,
    round: Arc<AtomicU64>,
    kubeconfig: Value,
    fleet: Value,
    passphrase: String,
}

impl World {
    fn new(known: &mut Known) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let round = Arc::new(AtomicU64::new(0));
        let (certificate, key) = seeds::certificate(known, "a server's key");
        let mut servers = Vec::new();
        for (name, peer) in [("east", "west"), ("west", "east")] {
            let cluster = Cluster::new(known, name, peer, "https://127.0.0.1:1");
            let round = Arc::clone(&round);
            let answers = move |request: &Request| cluster.wrong(request, round.load(Ordering::SeqCst));
            servers.push(Server::start(Some((&certificate, &key)), answers));
        }
        let mut kubeconfig = seeds::kubeconfig(known, "https://127.0.0.1:1");
        for (number, name) in ["east", "west"].into_iter().enumerate() {
            let add = |kubeconfig: &mut Value, list: &str, field: &str, value: Value| {
                let entries = kubeconfig[list].as_array_mut().unwrap();
                entries.push(json!({"name": name, field: value}));
            };
            let cluster = json!({"server": servers[number].url, "certificate-authority-data": seeds::base64(&certificate)});
            add(&mut kubeconfig, "clusters", "cluster", cluster);
            let account = "system:serviceaccount:a:admin";
            let token = known.token(&format!("the token for {name}"), account);
            add(&mut kubeconfig, "users", "user", json!({"token": token}));
            add(
                &mut kubeconfig,
                "contexts",
                "context",
                json!({"cluster": name, "user": name}),
            );
        }
        let said = (
            known.canary("a plugin's words"),
            known.canary("a plugin's errors"),
        );
        for (number, body) in [
            format!("echo {}; echo {} >&2; exit 3", said.0, said.1),
            format!("echo '{{\"kind\": {}'; echo {} >&2", said.0, said.1),
            format!(
                "echo '{{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \
                 \"status\": {{\"token\": \"{}\"}}}}'; echo {} >&2",
                known.token("a plugin's token", "a"),
                said.1
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let plugin = format!("plugin-{number}");
            script(&folder.path().join(&plugin), &body);
            let users = kubeconfig["users"].as_array_mut().unwrap();
            let mut user = users.iter().find(|user| user["name"] == "exec").unwrap()["user"].clone();
            user["exec"]["command"] = format!("./{plugin}").into();
            users.push(json!({"name": plugin, "user": user}));
            let contexts = kubeconfig["contexts"].as_array_mut().unwrap();
            contexts.push(json!({"name": plugin, "context": {"cluster": "east", "user": plugin}}));
        }
        // As much of istioctl as is asked of it: a version, and one object.
        script(
            &folder.path().join("istioctl"),
            "case $1 in version) echo '{\"clientVersion\": {\"version\": \"1.31.2\"}}' ;;\n\
             *) echo '{apiVersion: v1, kind: ServiceAccount, metadata: {name: istiod, namespace: istio-system}}' ;; esac",
        );
        Self {
            passphrase: known.canary("the root's passphrase"),
            fleet: files::fleet(known),
            folder,
            servers,
            round,
            kubeconfig,
        }
    }

    fn write(&self, file: &str, content: &[u8]) {
        std::fs::write(self.folder.path().join(file), content).unwrap();
    }

    /// Writes an input and gives what of it may be shown.
    fn write_input(&self, number: u64) -> String {
        let mut chance = Chance::new(SEED + number);
        let mut public = String::new();
        let mut kubeconfig = self.kubeconfig.to_string().into_bytes();
        let mut fleet = self.fleet.to_string().into_bytes();
        let mut passphrase = format!("{}\n", self.passphrase).into_bytes();
        self.round.store(SEED + number, Ordering::SeqCst);
        match number % 10 {
            0..3 => {
                kubeconfig = loop {
                    let wrong = wrong_text(&self.kubeconfig, &mut chance, &seeds::is_public);
                    if seeds::stays_here(&wrong) {
                        break wrong;
                    }
                };
                public = seeds::public_texts(&kubeconfig);
            }
            3 => fleet = wrong_text(&self.fleet, &mut chance, &files::is_public),
            4 => make_bytes_wrong(&mut passphrase, &mut chance),
            // The answers are wrong by themselves.
            _ => {}
        }
        self.write("config", &kubeconfig);
        self.write("stolos.yaml", &fleet);
        self.write("words", &passphrase);
        public
    }

    fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stolos"));
        let temporary = self.folder.path().join("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("KUBECONFIG", self.folder.path().join("config"))
            .env("TMPDIR", temporary)
            .env("PATH", "/usr/bin:/bin")
            .env("STOLOS_ISTIOCTL", self.folder.path().join("istioctl"))
            // A server that is not on loopback any more is not reached: nobody listens there.
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }
}

fn script(path: &Path, body: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Every command that ends in a verb, with arguments that let it do something.
fn commands() -> Vec<Vec<&'static str>> {
    let told = [
        "contexts",
        "contexts --probe --request-timeout 1s",
        "contexts --probe --context plugin-* --request-timeout 1s",
        "init --yes --context east --model multi-primary --fleet new.yaml --name new",
        "init --yes --context * --from-mesh --fleet seen.yaml --name new --request-timeout 1s",
        "join east --dry-run",
        "join at-in-the-url plugin-2 --request-timeout 1s",
        "leave west --yes --timeout 1s",
        "leave west --yes --forget --keep-mesh --timeout 1s",
        "clusters",
        "plan",
        "plan --exit-code --cluster east",
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
fn every_command_on_inputs_made_wrong_says_nothing() {
    let mut known = Known::new(SEED);
    let workers: Vec<World> = (0..3).map(|_| World::new(&mut known)).collect();
    let known = &known;
    let watch = Watch::begin();
    let runs: usize = std::thread::scope(|scope| {
        let running: Vec<_> = workers
            .iter()
            .enumerate()
            .map(|(worker, world)| scope.spawn(move || run_share(world, known, worker as u64)))
            .collect();
        running.into_iter().map(|share| share.join().unwrap()).sum()
    });
    let command_lines = watch.end();
    assert!(runs >= INPUTS as usize, "{runs} commands were run");
    let verdict = Verdict::new(known);
    let is = |line: &&Vec<u8>, word: &[u8]| line.windows(word.len()).any(|part| part == word);
    assert!(command_lines.iter().any(|line| is(&line, b"stolos\0")));
    // A credential plugin's own arguments are what its kubeconfig gives it.
    for line in command_lines.iter().filter(|line| !is(line, b"/plugin-")) {
        verdict.look_strictly("a process's arguments", line);
    }
    verdict.assert_clean();
}

/// Runs every third input, each with a share of the commands, so that each command meets inputs of
/// every kind; gives the number of runs.
fn run_share(world: &World, known: &Known, worker: u64) -> usize {
    let verdict = Verdict::new(known);
    let commands = commands();
    let mut runs = 0;
    for number in (worker..INPUTS).step_by(3) {
        let public = world.write_input(number);
        for (place, command) in commands.iter().enumerate() {
            if !(number + place as u64).is_multiple_of(SHARE) {
                continue;
            }
            let mut arguments: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
            let at = arguments
                .iter()
                .position(|word| word == "--")
                .unwrap_or(arguments.len());
            arguments.insert(at, "-vvv".to_owned());
            let formats = ["", "json", "wide", "yaml"];
            let format = formats[(number / SHARE) as usize % formats.len()];
            if !format.is_empty() && takes_format(command) {
                arguments.extend(["-o".to_owned(), format.to_owned()]);
            }
            let what = format!(
                "input {number} of the seed {SEED:#x}: stolos {}",
                arguments.join(" ")
            );
            let output = world.command(&arguments).output().unwrap();
            let code = output.status.code();
            let text = [output.stdout, output.stderr].concat();
            verdict.look(&what, &text, || public.clone());
            let is_panic = text.windows(11).any(|part| part == b"panicked at");
            assert!(
                code.is_some_and(|code| code < 70) && !is_panic,
                "{what}: {code:?}: {}",
                String::from_utf8_lossy(&text)
            );
            runs += 1;
        }
        for server in &world.servers {
            for request in server.take_requests() {
                look_at_request(&verdict, &request, number);
            }
        }
        for file in ["new.yaml", "seen.yaml"] {
            let _ = std::fs::remove_file(world.folder.path().join(file));
        }
        look_below(&verdict, world, &world.folder.path().join("tmp"), &public);
        for folder in [".local/state", ".cache", ".config"] {
            look_below(&verdict, world, &world.folder.path().join(folder), &public);
        }
    }
    verdict.assert_clean();
    runs
}

/// Each input is given to every so-many-th command.
const SHARE: u64 = 8;

fn takes_format(command: &[&str]) -> bool {
    ["contexts", "clusters", "plan", "apply", "status", "leave"].contains(&command[0])
        || [
            ["trust", "show"],
            ["link", "list"],
            ["link", "sync"],
            ["trust", "issue"],
            ["mesh", "install"],
        ]
        .iter()
        .any(|with| command.starts_with(with))
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

/// Looks at every file below a folder; temporary ones must be gone.
fn look_below(verdict: &Verdict<'_>, world: &World, folder: &Path, public: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            look_below(verdict, world, &path, public);
            continue;
        }
        assert!(
            !path.starts_with(world.folder.path().join("tmp")),
            "{} was left behind",
            path.display()
        );
        let content = std::fs::read(&path).unwrap_or_default();
        verdict.look(&path.display().to_string(), &content, || public.to_owned());
    }
}

/// Looks at the arguments of all processes of the machine, again and again.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<BTreeSet<Vec<u8>>>,
}

impl Watch {
    fn begin() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                let processes = std::fs::read_dir("/proc").unwrap();
                seen.extend(
                    processes
                        .flatten()
                        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok()),
                );
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        Self { stop, thread }
    }

    fn end(self) -> BTreeSet<Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
