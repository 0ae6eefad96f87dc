//! A fleet's files in a directory, and the real binary there.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::Value;
use simulator::{Fleet, Options};

/// Long enough for any command here whose every wait ends: who takes longer waits for ever.
const FOR_EVER: Duration = Duration::from_secs(150);

/// A fleet that the binary uses.
pub struct Used {
    directory: tempfile::TempDir,
    pub fleet: Fleet,
}

impl Used {
    pub fn new(options: Options) -> Self {
        let fleet = Fleet::start(options).unwrap();
        let directory = tempfile::tempdir().unwrap();
        fleet.write_files(directory.path(), &["links"]).unwrap();
        Self { directory, fleet }
    }

    pub fn stolos(&self, arguments: &[&str]) -> Output {
        let binary = env!("CARGO_BIN_EXE_stolos");
        self.ended(Command::new(binary).args(arguments))
    }

    #[track_caller]
    pub fn must(&self, arguments: &[&str]) {
        let output = self.stolos(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    /// As a process that may have so many files open.
    pub fn stolos_with(&self, descriptors: usize, arguments: &[&str]) -> Output {
        let limited = format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_stolos")]);
        self.ended(command.args(arguments))
    }

    /// What a command said, which must end by itself.
    #[track_caller]
    fn ended(&self, command: &mut Command) -> Output {
        let running = command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.directory.path())
            .env("KUBECONFIG", self.directory.path().join("kubeconfig"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let process = Pid::from_child(&running);
        let (ended, end) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || ended.send(running.wait_with_output().unwrap()));
        if let Ok(output) = end.recv_timeout(FOR_EVER) {
            waiting.join().unwrap().unwrap();
            return output;
        }
        let _ = rustix::process::kill_process(process, Signal::KILL);
        panic!("{command:?} did not end: {:?}", end.recv());
    }
}

/// What a document says of the fleet.
pub struct Said {
    /// The clusters that were read, where it lists them.
    pub read: BTreeSet<String>,
    /// Those that were not, or not wholly, by the class of their first error.
    pub failed: BTreeMap<String, String>,
}

impl Said {
    /// By the document of a command.
    #[track_caller]
    pub fn by(output: &Output) -> Self {
        let document: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rows = document["contexts"].as_array();
        let rows = rows.or(document["clusters"].as_array());
        let is_read = |row: &&Value| row["probe"]["reachable"] == true || row["reachable"] == true;
        let read = rows.into_iter().flatten().filter(is_read);
        let mut failed = BTreeMap::new();
        for error in document["errors"].as_array().unwrap() {
            failed
                .entry(text(&error["cluster"]))
                .or_insert_with(|| text(&error["class"]));
        }
        Self {
            read: read.map(|row| text(&row["name"])).collect(),
            failed,
        }
    }
}
