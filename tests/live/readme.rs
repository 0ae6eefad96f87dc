//! The README's tour, as it stands there: every command of its `console` blocks, in order, in one
//! shell. `# exit code N` behind a command is the code that it ends with, and what is shown below
//! it is its stdout, where anything is.

use std::path::Path;

use crate::harness::{Lab, must};

/// A command of the tour.
struct Command {
    line: String,
    exit_code: i32,
    /// What is shown below it.
    shown: String,
}

#[test]
fn the_tour_of_the_readme_is_true() {
    let readme = include_str!("../../README.md");
    let commands = commands(readme);
    assert!(commands.len() > 10, "the tour was found");
    // The tour's first command finds this one running, as it does for who types it again.
    let lab = Lab::up("tour", 2);
    let folder = lab.home.path().join("said");
    std::fs::create_dir(&folder).expect("a folder can be made");
    let script = script(&commands, &folder);
    std::fs::write(folder.join("tour.sh"), script).expect("a file can be written");
    let mut shell = lab.home.command("bash");
    let binary = Path::new(env!("CARGO_BIN_EXE_stolos"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let binaries = binary.parent().into_iter().map(Path::to_path_buf);
    let path = std::env::join_paths(binaries.chain(std::env::split_paths(&path)));
    shell
        .arg(folder.join("tour.sh"))
        .env("PATH", path.expect("a PATH"));
    must(shell);
    let mut problems = String::new();
    for (number, command) in commands.iter().enumerate() {
        let said = |what: &str| {
            let path = folder.join(format!("{number}.{what}"));
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let exit_code = said("code");
        if exit_code.trim() != command.exit_code.to_string() {
            let (stdout, stderr) = (said("out"), said("err"));
            problems.push_str(&format!(
                "$ {}: exit code {exit_code}{stdout}{stderr}\n",
                command.line
            ));
        }
        let (shown, printed) = (steady(&command.shown), steady(&said("out")));
        if !shown.is_empty() && shown != printed {
            problems.push_str(&format!(
                "$ {}\nREADME.md shows:\n{shown}\nand it prints:\n{printed}\n",
                command.line
            ));
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

fn commands(readme: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(typed) = line.strip_prefix("$ ").filter(|_| inside) {
            let (line, code) = typed.split_once(" # exit code ").unwrap_or((typed, "0"));
            commands.push(Command {
                line: line.to_owned(),
                exit_code: code.parse().expect("an exit code is a number"),
                shown: String::new(),
            });
        } else if inside {
            let command = commands.last_mut().expect("output stands below a command");
            command.shown.push_str(line);
            command.shown.push('\n');
        }
    }
    commands
}

/// A script that runs each command in the same shell, and keeps what each said.
fn script(commands: &[Command], folder: &Path) -> String {
    let mut script = format!("said='{}'\n", folder.display().to_string().replace('\'', r"'\''"));
    for (number, command) in commands.iter().enumerate() {
        script.push_str(&format!(
            "{{ {}\n}} > \"$said/{number}.out\" 2> \"$said/{number}.err\"\necho $? > \"$said/{number}.code\"\n",
            command.line
        ));
    }
    script
}

/// A text without what differs from run to run: fingerprints, versions, ports, and the width of
/// columns.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words: Vec<String> = line.split_whitespace().map(steady_word).collect();
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn steady_word(word: &str) -> String {
    let is_fingerprint = word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut parts = word.strip_prefix('v').unwrap_or(word).split('.');
    let is_number =
        |part: Option<&str>| part.is_some_and(|part| part.starts_with(|first: char| first.is_ascii_digit()));
    if is_fingerprint {
        "FINGERPRINT".to_owned()
    } else if word.starts_with("https://127.0.0.1:") {
        "SERVER".to_owned()
    } else if word.parse::<std::net::IpAddr>().is_err() && is_number(parts.next()) && is_number(parts.next())
    {
        "VERSION".to_owned()
    } else {
        word.to_owned()
    }
}
