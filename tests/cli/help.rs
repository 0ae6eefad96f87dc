//! Help, completions and man pages as one types for them.

use crate::harness::{Home, Transcript};

#[test]
fn completions_and_pages_are_printed_and_written() {
    let home = Home::new();
    let bash = home.command(&["completion", "bash"]).output().unwrap();
    assert!(bash.status.success());
    assert!(String::from_utf8(bash.stdout).unwrap().contains("_stolos()"));
    let unknown = home.command(&["completion", "cmd"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    let page = home.command(&["man"]).output().unwrap();
    assert!(String::from_utf8(page.stdout).unwrap().contains(".TH stolos 1"));
    let written = home.command(&["man", "--out", "pages"]).output().unwrap();
    assert!(written.status.success());
    assert!(home.read("pages/stolos-contexts.1").contains("stolos\\-contexts"));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let home = Home::new();
    let mut child = home
        .command(&["man"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn help_says_what_there_is() {
    let home = Home::new();
    let mut transcript = Transcript::new(&home);
    transcript.run(&["--help"]);
    // All groups of flags come together in `apply`; `trust issue` and `link sync` have fewer.
    for command in [
        &["apply", "--help"][..],
        &["trust", "issue", "--help"],
        &["link", "sync", "--help"],
        &["leave", "--help"],
    ] {
        transcript.run(command);
    }
    transcript.assert("help");
}
