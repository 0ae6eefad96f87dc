//! The invariants of `src/lib.rs` that can be seen in the text: purity, who prints, who ends the
//! process, sizes, names, a map that is whole. Exceptions are data, each with its reason.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Modules without a network, clock, files, randomness or terminal.
const PURE: [&str; 13] = [
    "document.rs",
    "error.rs",
    "fleet",
    "inventory",
    "link",
    "mesh",
    "plan",
    "reconcile.rs",
    "status",
    "trust",
    "words.rs",
    "yaml",
    "yaml.rs",
];

/// What a pure module does not name.
const IMPURE: [&str; 24] = [
    "kube::",
    "k8s_openapi",
    "tokio",
    "clap",
    "hyper",
    "rustls",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "rand::",
    "crate::apply",
    "crate::cli",
    "crate::cluster",
    "crate::host",
    "crate::lab",
    "crate::render",
];

/// What only `render/` does.
const PRINTING: [&str; 7] = [
    "println!",
    "print!(",
    "eprint!(",
    "dbg!(",
    "io::stdout",
    "io::stderr",
    "dialoguer",
];

/// What only `main.rs` does.
const ENDING: [&str; 3] = ["process::exit", "process::abort", "ExitCode"];

/// Names that say nothing.
const JUNK: [&str; 7] = [
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "types",
    "constants",
];

/// Lines in a file.
const LONGEST: usize = 500;

/// A rule that a file may break.
struct Allowance {
    file: &'static str,
    /// The word that it may name; empty for its length.
    word: &'static str,
    reason: &'static str,
}

const ALLOWANCES: &[Allowance] = &[Allowance {
    file: "src/lab/inside/relay.rs",
    word: "io::stdout",
    reason: "a relay's stdout is the other end of a connection, not somebody who reads",
}];

struct File {
    /// From the package's folder, with `/`.
    path: String,
    text: String,
}

impl File {
    /// The lines of code, without comments and without what is only compiled for tests, numbered.
    fn code(&self) -> Vec<(usize, &str)> {
        if self.is_test() {
            return Vec::new();
        }
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]" || self.goes_on_after_tests())
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(number, line)| (number, line.split(" // ").next().unwrap_or(line)))
            .collect()
    }

    /// Whether what is only for tests is not the end of the file: a `mod tests;` among modules.
    fn goes_on_after_tests(&self) -> bool {
        let after = self.text.split("#[cfg(test)]\n").nth(1).unwrap_or_default();
        let declaration = after.lines().next().unwrap_or_default();
        declaration.starts_with("mod ") && declaration.ends_with(';')
    }

    /// Whether it is not the program: a test, or the benchmark.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.starts_with("benches/")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("_tests.rs")
    }

    fn is_in(&self, module: &str) -> bool {
        let path = self.path.strip_prefix("src/").unwrap_or_default();
        path == module || path.starts_with(&format!("{module}/"))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files() -> Vec<File> {
    let mut folders = ["src", "tests", "benches"].map(|name| root().join(name)).to_vec();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(File {
                    path: relative(&path),
                    text: std::fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

fn relative(path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root()).unwrap().to_owned();
    path.to_str().unwrap().replace('\\', "/")
}

fn is_allowed(file: &str, word: &str) -> bool {
    ALLOWANCES
        .iter()
        .any(|allowance| allowance.file == file && allowance.word == word)
}

/// Fails with every place at which a chosen file names a word.
#[track_caller]
fn assert_names_none(rule: &str, chosen: impl Fn(&File) -> bool, words: &[&str]) {
    let mut places = String::new();
    for file in files().iter().filter(|file| chosen(file)) {
        for (number, line) in file.code() {
            for word in words.iter().filter(|word| names(line, word)) {
                if !is_allowed(&file.path, word) {
                    let _ = writeln!(places, "  {}:{number}: {word}", file.path);
                }
            }
        }
    }
    assert!(places.is_empty(), "{rule}:\n{places}");
}

/// Whether a line names a word, and not as the end of a longer one.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(index, _)| {
        !line[..index]
            .chars()
            .next_back()
            .is_some_and(|character| character.is_alphanumeric() || character == '_')
    })
}

#[test]
fn pure_modules_touch_nothing() {
    let pure = |file: &File| PURE.iter().any(|module| file.is_in(module));
    assert_names_none("a pure module names something of the world", pure, &IMPURE);
    for module in PURE {
        assert!(
            files().iter().any(|file| file.is_in(module)),
            "there is no src/{module}"
        );
    }
}

#[test]
fn only_render_prints_and_asks() {
    let others = |file: &File| !file.is_in("render");
    assert_names_none("only render/ prints and asks", others, &PRINTING);
}

#[test]
fn only_main_ends_the_process() {
    let others = |file: &File| file.path != "src/main.rs";
    assert_names_none("only main.rs ends the process", others, &ENDING);
}

#[test]
fn only_the_yaml_module_knows_the_yaml_library() {
    let others = |file: &File| !file.is_in("yaml.rs");
    assert_names_none(
        "all YAML passes through src/yaml.rs",
        others,
        &["serde_yaml", "serde_norway"],
    );
}

#[test]
fn only_the_cluster_layer_and_the_lab_know_the_client_library() {
    let others = |file: &File| {
        !["cluster", "lab", "host/kubeconfig"]
            .iter()
            .any(|module| file.is_in(module))
    };
    assert_names_none(
        "kube stays behind cluster/ and host/kubeconfig",
        others,
        &["kube::"],
    );
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut problems = String::new();
    for file in files() {
        let lines = file.text.lines().count();
        if lines > LONGEST && !is_allowed(&file.path, "") {
            let _ = writeln!(
                problems,
                "  {}: {lines} lines; two files from {LONGEST} on",
                file.path
            );
        }
        if !file.text.starts_with("//! ") {
            let _ = writeln!(
                problems,
                "  {}: the first line does not say what it is (`//!`)",
                file.path
            );
        }
        let junk = |part: &str| JUNK.contains(&part.trim_end_matches(".rs"));
        if file.path.split('/').any(junk) {
            let _ = writeln!(problems, "  {}: a name that says nothing", file.path);
        }
        for (number, line) in file.code() {
            let module = line
                .trim_start_matches("pub ")
                .strip_prefix("mod ")
                .unwrap_or_default();
            if JUNK.contains(&module.trim_end_matches([';', '{', ' '])) {
                let _ = writeln!(problems, "  {}:{number}: a name that says nothing", file.path);
            }
        }
    }
    assert!(problems.is_empty(), "untidy:\n{problems}");
}

#[test]
fn the_map_names_every_module() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let map: String = text.lines().filter(|line| line.starts_with("//! - ")).collect();
    let modules: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert!(!modules.is_empty());
    for module in modules {
        assert!(
            map.contains(&format!("[`{module}`]")),
            "the map in src/lib.rs misses {module}"
        );
    }
}

#[test]
fn every_allowance_is_needed() {
    for allowance in ALLOWANCES {
        assert!(!allowance.reason.is_empty());
        let files = files();
        let file = files.iter().find(|file| file.path == allowance.file);
        let file = file.unwrap_or_else(|| panic!("{} is allowed something and is not there", allowance.file));
        let needed = if allowance.word.is_empty() {
            file.text.lines().count() > LONGEST
        } else {
            file.code().iter().any(|(_, line)| names(line, allowance.word))
        };
        assert!(needed, "{} no longer needs its allowance", allowance.file);
    }
}
