//! What is said of a plugin that gives nothing: which one, by its base name, and how it ended; never
//! a word of its arguments, its environment or its output.

use std::path::Path;

use super::super::unavailable;
use super::Plugin;
use super::process::RunError;
use crate::inventory::{Failure, FailureClass};

/// The longest installation hint that is repeated.
const HINT_LIMIT: usize = 500;

pub(super) fn forbidden(plugin: &Plugin) -> Failure {
    unavailable(&format!(
        "the credential plugin {} may not run; allow it with --exec-plugins (or STOLOS_EXEC_PLUGINS)",
        name(plugin)
    ))
}

pub(super) fn nobody(plugin: &Plugin) -> Failure {
    unavailable(&format!(
        "the credential plugin {} asks for what it needs (`interactiveMode: Always`), and standard \
         input is no terminal",
        name(plugin)
    ))
}

pub(super) fn not_found(plugin: &Plugin) -> Failure {
    let hint = plain(&plugin.install_hint, HINT_LIMIT);
    let hint = if hint.is_empty() {
        "install it, or mend `exec.command` in the kubeconfig".to_owned()
    } else {
        format!("the kubeconfig says: {hint}")
    };
    unavailable(&format!(
        "the credential plugin {} was not found; {hint}",
        name(plugin)
    ))
}

pub(super) fn failed(plugin: &Plugin, error: &RunError) -> Failure {
    let failure = unavailable(&format!(
        "the credential plugin {} {error}; kubectl with the same context shows its own words",
        name(plugin)
    ));
    match error {
        RunError::TimedOut(_) => Failure {
            class: FailureClass::Timeout,
            ..failure
        },
        _ => failure,
    }
}

/// The command's base name, between backquotes.
fn name(plugin: &Plugin) -> String {
    let base = Path::new(&plugin.command).file_name();
    format!("`{}`", plain(&base.unwrap_or_default().to_string_lossy(), 64))
}

/// Text on one line, without what a terminal would obey: control characters and escape sequences
/// (ECMA-48; client-go `clientcmd.cleanANSIEscapeCodes`).
fn plain(text: &str, limit: usize) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                // The parameters of a control sequence, up to its last character.
                if characters.clone().next() == Some('[') {
                    let _ = characters
                        .by_ref()
                        .skip(1)
                        .find(|character| ('@'..='~').contains(character));
                }
            }
            character if character.is_whitespace() => plain.push(' '),
            character if character.is_control() => {}
            character => plain.push(character),
        }
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kubeconfig_says_cannot_steer_the_terminal() {
        assert_eq!(
            plain("\u{1b}[31;1mred\u{1b}[0m\n  and\ttab\u{7}", 99),
            "red and tab"
        );
        assert_eq!(plain("\u{1b}", 99), "");
        assert_eq!(plain("abcdef", 3), "abc");
    }
}
