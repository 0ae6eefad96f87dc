//! The reader beside kubectl.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use stolos::host::kubeconfig::{Kubeconfigs, Sources};

use crate::lists::{List, list};
use crate::number;

/// How many of kubectl run at once.
const AT_ONCE: usize = 2;

/// Differences that are shown in full.
const SHOWN: usize = 5;

/// What was made of a list: JSON without spaces, or nothing where it was refused.
type Answer = Result<String, String>;

/// kubectl among the lab's parts.
fn kubectl() -> &'static Path {
    static KUBECTL: OnceLock<PathBuf> = OnceLock::new();
    KUBECTL.get_or_init(|| {
        let output = Command::new(env!("CARGO_BIN_EXE_stolos"))
            .args(["lab", "parts"])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "the lab's parts are needed");
        let parts = String::from_utf8(output.stdout).unwrap();
        Path::new(parts.trim()).join("kubectl")
    })
}

fn kubectl_reads(list: &List, folder: &Path) -> Answer {
    let mut command = Command::new(kubectl());
    command
        .args(["config", "view", "--raw", "-o", "json"])
        .env_clear()
        .env("HOME", folder)
        .current_dir(folder)
        .stdin(Stdio::null());
    if let Some(variable) = &list.variable {
        command.env("KUBECONFIG", variable);
    }
    let output = command.output().unwrap();
    if output.status.success() {
        Ok(compact(&String::from_utf8(output.stdout).unwrap()))
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(said.lines().take(2).collect::<Vec<_>>().join(" "))
    }
}

/// JSON without the spaces between its parts.
fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for character in json.chars() {
        if !quoted && character.is_ascii_whitespace() {
            continue;
        }
        compact.push(character);
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        }
    }
    compact
}

/// The same list, read by this process: its relative paths are made absolute, since a process has one
/// working directory.
fn we_read(list: &List, folder: &Path) -> Answer {
    let absolute = |entry: &str| {
        if entry.is_empty() {
            String::new()
        } else {
            folder.join(entry).to_str().unwrap().to_owned()
        }
    };
    let variable = list.variable.as_ref().map(|variable| {
        let entries: Vec<String> = variable.split(':').map(absolute).collect();
        entries.join(":")
    });
    Kubeconfigs::from_sources(&Sources {
        explicit: None,
        list: variable.map(Into::into),
        home: Some(folder.to_owned()),
    })
    .map(|merged| merged.to_json().expose().to_owned())
    .map_err(|error| error.to_string())
}

/// Whether both answers say the same. Bytes that are no text are U+FFFD in both, escaped in one.
fn agree(theirs: &Answer, ours: &Answer) -> bool {
    match (theirs, ours) {
        (Err(_), Err(_)) => true,
        (Ok(theirs), Ok(ours)) => theirs == ours || theirs.replace("\\ufffd", "\u{FFFD}") == *ours,
        _ => false,
    }
}

fn write_files(list: &List, folder: &Path) {
    for (name, bytes) in &list.files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[derive(Default)]
struct Tally {
    accepted: usize,
    differ: usize,
    shown: String,
}

#[test]
fn lists_are_accepted_and_merged_as_by_kubectl() {
    kubectl();
    let lists = number("STOLOS_KUBECONFIG_LISTS", 2_000);
    let start = number("STOLOS_KUBECONFIG_SEED", 0);
    let next = AtomicU64::new(start);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= start + lists {
                        break;
                    }
                    compare(seed, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!(
        "{lists} lists, {} accepted by kubectl, {} differ",
        tally.accepted, tally.differ
    );
    assert_eq!(tally.differ, 0, "{}", tally.shown);
    // A generator that is refused always, or never, shows nothing.
    let accepted = u64::try_from(tally.accepted).unwrap();
    assert!(lists < 200 || (lists / 10..lists * 9 / 10).contains(&accepted));
}

fn compare(seed: u64, tally: &Mutex<Tally>) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let list = list(seed, &folder);
    write_files(&list, &folder);
    // Before kubectl, which moves the file of an older place.
    let ours = we_read(&list, &folder);
    let theirs = kubectl_reads(&list, &folder);
    let mut tally = tally.lock().unwrap();
    tally.accepted += usize::from(theirs.is_ok());
    if !agree(&theirs, &ours) {
        tally.differ += 1;
        if tally.differ <= SHOWN {
            let _ = writeln!(tally.shown, "\nseed {seed}: {:?}", list.variable);
            for (name, bytes) in &list.files {
                let _ = writeln!(tally.shown, "--- {name}\n{}", bytes.escape_ascii());
            }
            let _ = writeln!(tally.shown, "kubectl: {theirs:.2000?}\nwe: {ours:.2000?}");
        }
    }
}

/// The differences that were known, one by one, each beside what kubectl says of it.
#[test]
fn what_used_to_differ_is_the_same() {
    let name = |name: &str| format!("contexts: [{{name: {name}, context: {{}}}}]");
    let texts = [
        name("yes"),
        name("on"),
        name("014"),
        name("1_000"),
        name("\"014\""),
        name("!!str 014"),
        name("!!binary aGk="),
        name("!!binary /w=="),
        name("2001-01-01"),
        name("a, name: b"),
        "contexts: [null]".to_owned(),
        "contexts:\n- null\n- name: a\n".to_owned(),
        "current-context: a\ncurrent-context: b".to_owned(),
        "users: [{name: a, user: {token: a, token: b}}]".to_owned(),
        "users: [{name: a, user: {client-key-data: '!'}}]".to_owned(),
        "unknown: &a [*a]".to_owned(),
        "unknown: {~: a}".to_owned(),
        "unknown: .inf".to_owned(),
        "a: &a {name: x}\nusers: [{name: y, <<: *a}]".to_owned(),
        "a: &a {name: x}\nusers: [{<<: *a, name: y}]".to_owned(),
        "users:\n- name: a\n  user: {token: {}}".to_owned(),
        "Kind: Pod".to_owned(),
        "apiVersion: /v1".to_owned(),
        "%YAML 1.2\n---\nkind: Config".to_owned(),
        "kind: Config\n---\n]".to_owned(),
        "\u{feff}kind: Config".to_owned(),
        "\u{feff}\u{feff}kind: Config".to_owned(),
        "kind: Config\n\u{feff}current-context: a".to_owned(),
        "users:\n\t- name: a".to_owned(),
        "users: [{name: a, user:\t{}}]".to_owned(),
    ];
    let folder = tempfile::tempdir().unwrap();
    for text in texts {
        let wide = text.encode_utf16().flat_map(u16::to_le_bytes);
        let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(wide).collect();
        for bytes in [text.clone().into_bytes(), wide] {
            let list = List {
                files: vec![("config".to_owned(), bytes)],
                variable: Some("config".to_owned()),
            };
            write_files(&list, folder.path());
            let (theirs, ours) = (kubectl_reads(&list, folder.path()), we_read(&list, folder.path()));
            assert!(agree(&theirs, &ours), "{text:?}: kubectl {theirs:?}, we {ours:?}");
        }
    }
}
