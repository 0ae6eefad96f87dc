//! A hermetic home, a transcript of commands in it, and its comparison with a snapshot.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A home folder and nothing else of the environment that tests run in.
pub struct Home {
    folder: TempDir,
}

impl Home {
    /// An empty home.
    pub fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// A path in it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file in it, with the folders that it needs.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// The binary, about to run in the home without a terminal.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stolos"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }
}

/// Commands with everything that they print, as text that is the same on every machine.
pub struct Transcript<'home> {
    home: &'home Home,
    variables: Vec<(&'static str, String)>,
    text: String,
}

impl<'home> Transcript<'home> {
    /// A transcript of nothing.
    pub fn new(home: &'home Home) -> Self {
        Self {
            home,
            variables: Vec::new(),
            text: String::new(),
        }
    }

    /// Sets a variable of the environment for the commands that follow.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Runs a command and writes down what it printed and its exit code.
    pub fn run(&mut self, arguments: &[&str]) -> &mut Self {
        let mut command = self.home.command(arguments);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.output().unwrap();
        let quoted: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        self.text.push_str(&format!("$ stolos {}\n", quoted.join(" ")));
        self.push_block("", &String::from_utf8(output.stdout).unwrap());
        self.push_block("! ", &String::from_utf8(output.stderr).unwrap());
        match output.status.code() {
            Some(0) => {}
            Some(code) => self.text.push_str(&format!("exit code {code}\n")),
            None => self.text.push_str("ended by a signal\n"),
        }
        self.text.push('\n');
        self
    }

    /// Writes down a file.
    pub fn show(&mut self, path: &str) -> &mut Self {
        self.text.push_str(&format!("$ cat {path}\n"));
        let text = self.home.read(path);
        self.push_block("", &text);
        self.text.push('\n');
        self
    }

    fn push_block(&mut self, mark: &str, text: &str) {
        for line in text.lines() {
            self.text.push_str(&format!("{mark}{line}\n"));
        }
    }

    /// What was written down, without what differs from run to run.
    pub fn text(&self) -> String {
        let home = self.home.folder.path();
        // The system may know the folder by another path (a link, as on macOS).
        let real = std::fs::canonicalize(home).unwrap();
        let text = self
            .text
            .replace(&real.display().to_string(), "~")
            .replace(&home.display().to_string(), "~");
        let text = without_ports(&text);
        let text = mask(&text, "\"generatedAt\": \"", |character| character != '"', "NOW");
        let text = mask(
            &text,
            "\"tool\": \"stolos/",
            |character| character != '"',
            "VERSION",
        );
        mask(&text, "\"runId\": \"", |character| character != '"', "RUN")
    }

    /// Compares the transcript with a snapshot, or accepts it where `UPDATE` is set.
    #[track_caller]
    pub fn assert(&self, name: &str) {
        assert_snapshot(name, &self.text());
    }
}

/// The text without the ports that servers here were given.
pub fn without_ports(text: &str) -> String {
    mask(text, "127.0.0.1:", |character| character.is_ascii_digit(), "PORT")
}

/// Replaces what follows a mark.
fn mask(text: &str, mark: &str, masked: impl Fn(char) -> bool, by: &str) -> String {
    let mut parts = text.split(mark);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&masked);
        result.push_str(mark);
        result.push_str(if rest.len() < part.len() { by } else { "" });
        result.push_str(rest);
    }
    result
}

fn quoted(argument: &str) -> String {
    if !argument.is_empty()
        && argument
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./=:@,".contains(c))
    {
        argument.to_owned()
    } else {
        format!("'{argument}'")
    }
}

/// Compares a text with `tests/cli/snapshots/NAME.txt`.
#[track_caller]
pub fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cli/snapshots/{name}.txt"));
    if std::env::var_os("UPDATE").is_some_and(|value| !value.is_empty()) {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let accepted = std::fs::read_to_string(&path).unwrap_or_default();
    if accepted != text {
        let difference = similar::TextDiff::from_lines(accepted.as_str(), text);
        panic!(
            "{} differs; `UPDATE=1 cargo test --test cli` accepts it:\n{}",
            path.display(),
            difference.unified_diff().context_radius(3)
        );
    }
}
