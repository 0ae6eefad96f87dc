//! A lab for a test: a home of its own, the parts found or built once, one lab at a time on the
//! machine, and taken down whatever happens. What a test needs and cannot have is a failure.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Variables of whoever runs the tests that must not reach what is tested.
const FOREIGN: [&str; 12] = [
    "KUBECONFIG",
    "KUBEBUILDER_ASSETS",
    "STOLOS_FLEET",
    "STOLOS_ISTIOCTL",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
];

/// A home directory of its own, in which the program runs. Its name is no friend of scripts, and
/// with it no path of a socket fits into the socket's address.
pub struct Home {
    directory: PathBuf,
    _whole: TempDir,
}

const NAME: &str = "the home of somebody who likes long names and spaces and 'quotes' in them as well";

impl Home {
    pub fn new() -> Self {
        let whole = tempfile::tempdir().expect("a temporary directory can be made");
        let directory = whole.path().join(NAME);
        std::fs::create_dir(&directory).expect("a directory can be made");
        Self {
            directory,
            _whole: whole,
        }
    }

    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// A file of the home, where commands run.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), text).expect("a file can be written in the home");
    }

    /// A command that sees this home and nothing of the real one.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
            .env("HOME", self.path())
            .env("STOLOS_LAB_ASSETS", parts())
            .current_dir(self.path());
        command
    }

    /// `stolos` with arguments.
    pub fn stolos(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_stolos"));
        command.args(arguments);
        command
    }
}

/// A running lab; it goes down with this.
pub struct Lab {
    pub home: Home,
    pub name: String,
    /// Where its contexts are.
    pub kubeconfig: PathBuf,
    /// The directory of kubectl and istioctl.
    pub parts: PathBuf,
    _turn: File,
}

impl Lab {
    /// Brings a lab up, when no other test has one.
    pub fn up(name: &str, clusters: u8) -> Self {
        Self::up_with(name, clusters, &[])
    }

    /// The same, with more flags.
    pub fn up_with(name: &str, clusters: u8, flags: &[&str]) -> Self {
        let turn = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-lab.lock"))
            .expect("the lock's file can be made");
        turn.lock().expect("the lock can be had");
        let home = Home::new();
        let mut lab = Self {
            home,
            name: name.to_owned(),
            kubeconfig: PathBuf::new(),
            parts: PathBuf::new(),
            _turn: turn,
        };
        let clusters = clusters.to_string();
        let up = ["lab", "up", "--name", name, "--clusters", &clusters];
        must(lab.home.stolos(&up).args(flags));
        let row = lab.row();
        lab.kubeconfig = PathBuf::from(row["kubeconfig"].as_str().expect("a lab has a kubeconfig"));
        lab.parts = PathBuf::from(row["directory"].as_str().expect("a lab has a directory")).join("parts");
        lab
    }

    /// The context of a cluster, from 1.
    pub fn context(&self, number: u8) -> String {
        format!("{}-{number}", self.name)
    }

    /// What `lab list -o json` says of this lab.
    pub fn row(&self) -> Value {
        let list = json(self.home.stolos(&["lab", "list", "-o", "json"]));
        list["labs"]
            .as_array()
            .and_then(|labs| labs.iter().find(|lab| lab["name"] == self.name.as_str()))
            .cloned()
            .unwrap_or_else(|| panic!("the lab {} is not in {list:#}", self.name))
    }

    /// `stolos` with the lab's kubeconfig and istioctl.
    pub fn stolos(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.stolos(arguments);
        self.equip(&mut command);
        command
    }

    /// kubectl in one of the lab's contexts, from outside of the lab's network.
    pub fn kubectl(&self, context: &str, arguments: &[&str]) -> Command {
        let mut command = self.home.command(self.parts.join("kubectl"));
        command.args(["--context", context]).args(arguments);
        self.equip(&mut command);
        command
    }

    /// istioctl in one of the lab's contexts, from outside of the lab's network.
    pub fn istioctl(&self, context: &str, arguments: &[&str]) -> Command {
        let mut command = self.home.command(self.parts.join("istioctl"));
        command.args(["--context", context]).args(arguments);
        self.equip(&mut command);
        command
    }

    /// A program inside of the lab's network.
    pub fn exec(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.stolos(&["lab", "exec", "--name", &self.name, "--"]);
        command.args(arguments);
        command
    }

    /// An object as JSON; none where it is not there.
    pub fn object(&self, context: &str, arguments: &[&str]) -> Option<Value> {
        let output = run(self.kubectl(context, &["get", "-o", "json"]).args(arguments));
        output
            .status
            .success()
            .then(|| serde_json::from_slice(&output.stdout).expect("kubectl prints JSON"))
    }

    /// Applies objects, given as YAML or JSON, server-side and over whatever stands.
    pub fn apply(&self, context: &str, objects: &str) {
        self.home.write("applied.yaml", objects);
        // By its name in the home, where kubectl runs: it takes a comma in a path for the next file.
        must(self.kubectl(
            context,
            &[
                "apply",
                "--server-side",
                "--force-conflicts",
                "-f",
                "applied.yaml",
            ],
        ));
    }

    /// The audit log's events of a cluster.
    pub fn audit(&self, context: &str) -> Vec<Value> {
        let row = self.row();
        let path = row["clusters"]
            .as_array()
            .and_then(|clusters| clusters.iter().find(|cluster| cluster["context"] == context))
            .and_then(|cluster| cluster["auditLog"].as_str().map(str::to_owned))
            .expect("the cluster has an audit log");
        std::fs::read_to_string(path)
            .expect("the audit log can be read")
            .lines()
            // The last line may be half written.
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// How many requests a User-Agent made, by `verb resource/subresource`; a resource of a group is
    /// `resource.group`.
    pub fn requests_by(&self, context: &str, agent: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for event in self.audit(context) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            if !text(&event["userAgent"]).starts_with(agent) {
                continue;
            }
            let reference = &event["objectRef"];
            let mut what = format!("{} {}", text(&event["verb"]), text(&reference["resource"]));
            if let Some(group) = reference["apiGroup"].as_str() {
                what = format!("{what}.{group}");
            }
            if let Some(subresource) = reference["subresource"].as_str() {
                what = format!("{what}/{subresource}");
            }
            *counts.entry(what).or_default() += 1;
        }
        counts
    }

    /// Those of them that change something.
    pub fn writes_by(&self, context: &str, agent: &str) -> BTreeMap<String, usize> {
        let mut counts = self.requests_by(context, agent);
        let reads = ["get ", "list ", "watch "];
        counts.retain(|what, _| !reads.iter().any(|verb| what.starts_with(verb)));
        counts
    }

    fn equip(&self, command: &mut Command) {
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("STOLOS_ISTIOCTL", self.parts.join("istioctl"));
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let down = run(&mut self.home.stolos(&["lab", "down", "--name", &self.name]));
        if !std::thread::panicking() {
            assert!(down.status.success(), "lab down: {}", said(&down));
        }
    }
}

/// The directory of all parts: found, or built, once for all tests, in the real home's cache.
pub fn parts() -> &'static Path {
    static PARTS: OnceLock<PathBuf> = OnceLock::new();
    PARTS.get_or_init(|| {
        let output = Command::new(env!("CARGO_BIN_EXE_stolos"))
            .args(["lab", "parts"])
            .stderr(std::process::Stdio::inherit())
            .output()
            .expect("stolos can be run");
        assert!(output.status.success(), "stolos lab parts: {}", said(&output));
        PathBuf::from(String::from_utf8(output.stdout).expect("a path is text").trim())
    })
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a command that has to succeed, and gives its stdout.
#[track_caller]
pub fn must(mut command: impl std::borrow::BorrowMut<Command>) -> String {
    let command = command.borrow_mut();
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8(output.stdout).expect("stdout is text")
}

/// Runs a command that has to succeed, and reads its stdout as JSON.
#[track_caller]
pub fn json(command: impl std::borrow::BorrowMut<Command>) -> Value {
    let text = must(command);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
}

/// Waits for something to be there, and fails after a minute with what was awaited.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    eventually_or_say(what, || look().ok_or_else(String::new))
}

/// The same for a look that says why it does not see it yet.
#[track_caller]
pub fn eventually_or_say<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) => assert!(Instant::now() < deadline, "not within a minute: {what}: {why}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
