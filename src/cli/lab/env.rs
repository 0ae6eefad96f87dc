//! `stolos lab env`

use super::Which;
use crate::error::Result;
use crate::lab;
use crate::render::Terminal;

/// Print the `export` lines that lead a shell's programs to a lab: `eval "$(stolos lab env)"`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
}

pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<()> {
    let lab = lab::find(&arguments.which.name)?;
    let lines: Vec<String> = lab::environment(&lab)
        .into_iter()
        .map(|(name, value)| format!("export {name}={}\n", quoted(&value)))
        .collect();
    terminal.answer(&lines.concat())
}

/// A word for a POSIX shell, whatever is in it.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        let word = "a b'c\"d$HOME`e`\\f\n;*";
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("printf %s {}", quoted(word))])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
    }
}
