//! The only module that prints or asks: stdout is the answer, stderr is talk. A closed pipe ends
//! the printing, not the program.

pub mod answer;
pub mod links;
pub mod look;
pub mod progress;
pub mod status;
pub mod table;
pub mod trust;

use std::io::{IsTerminal, Write};
use std::str::FromStr;

use answer::Answer;
use clap::ValueEnum;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

/// How an answer is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For reading.
    #[default]
    Table,
    /// For reading, with more columns.
    Wide,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How the terminal is to be written to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// When to colour.
    pub color: ColorChoice,
    /// Only answers, warnings and errors.
    pub quiet: bool,
    /// How much more to say.
    pub verbosity: u8,
}

/// Where answers, talk and questions go.
#[derive(Debug, Clone)]
pub struct Terminal {
    style: Style,
    /// Whether somebody can be asked: stdin and stderr are both a terminal.
    interactive: bool,
    /// Whether stderr is a terminal.
    talks_to_terminal: bool,
    /// Whether stdout is coloured.
    colored: bool,
}

/// Whether what another program says on standard error is seen at once: it is a terminal.
pub fn others_are_seen() -> bool {
    std::io::stderr().is_terminal()
}

impl Terminal {
    /// A terminal of a style.
    pub fn new(style: &Style) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let talks_to_terminal = std::io::stderr().is_terminal();
        Self {
            style: *style,
            interactive: talks_to_terminal && std::io::stdin().is_terminal(),
            talks_to_terminal,
            colored: match style.color {
                ColorChoice::Auto => std::io::stdout().is_terminal() && !no_color,
                ColorChoice::Always => true,
                ColorChoice::Never => false,
            },
        }
    }

    /// A terminal before the command line was understood.
    pub fn plain() -> Self {
        Self::new(&Style::default())
    }

    /// Whether somebody can be asked.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Whether progress can be drawn: stderr is a terminal and the user did not ask for quiet.
    pub fn draws_progress(&self) -> bool {
        self.talks_to_terminal && !self.style.quiet
    }

    /// Whether answers are coloured.
    pub fn is_colored(&self) -> bool {
        self.colored
    }

    /// Prints text of the answer to stdout; a newline is added where there is none.
    pub fn answer(&self, text: &str) -> Result<()> {
        let mut answer = Answer::begin();
        // What becomes of it is known at the end.
        let _ = answer.write_all(text.as_bytes());
        if !text.is_empty() && !text.ends_with('\n') {
            let _ = answer.write_all(b"\n");
        }
        answer.end(Ok(()))
    }

    /// Prints the answer as one JSON or YAML document, piece by piece: that of a large fleet is many
    /// times as large as what it is made of.
    pub fn document(&self, format: Format, document: &impl Serialize) -> Result<()> {
        let mut answer = Answer::begin();
        let written = match format {
            Format::Yaml => crate::host::yaml::to_writer(&mut answer, document),
            Format::Json | Format::Table | Format::Wide => {
                let written = serde_json::to_writer_pretty(&mut answer, document);
                let _ = answer.write_all(b"\n");
                written
                    .map_err(|error| Error::new(ErrorKind::Bug, format!("write the answer as JSON: {error}")))
            }
        };
        answer.end(written)
    }

    /// Says what is being done.
    pub fn say(&self, text: &str) {
        if !self.style.quiet {
            self.talk(text);
        }
    }

    /// Says more, to those who asked for it with `-v` (1) or `-vv` (2).
    pub fn detail(&self, verbosity: u8, text: impl FnOnce() -> String) {
        if self.style.verbosity >= verbosity {
            self.talk(&text());
        }
    }

    /// Warns.
    pub fn warn(&self, text: &str) {
        self.talk(&format!("warning: {text}"));
    }

    /// Shows a failure; one that has been said already is not said again.
    pub fn fail(&self, error: &Error) {
        if !error.message.is_empty() {
            self.talk(&format!("error: {}", error.message));
        }
        if let Some(hint) = &error.hint {
            self.talk(&format!("hint: {hint}"));
        }
    }

    /// Shows what clap said of a command line, and gives the exit code.
    pub fn usage(&self, text: &str, is_error: bool) -> u8 {
        if is_error {
            self.talk(text.trim_end());
            ErrorKind::Usage.exit_code()
        } else {
            match self.answer(text) {
                Ok(()) => 0,
                Err(error) => error.kind.exit_code(),
            }
        }
    }

    /// Asks a question whose safe answer is no. Only where [`Self::is_interactive`].
    pub fn confirm(&self, question: &str) -> Result<bool> {
        dialoguer::Confirm::new()
            .with_prompt(question)
            .default(false)
            .interact()
            .map_err(|error| Error::new(ErrorKind::Interrupted, format!("ask {question:?}: {error}")))
    }

    /// Asks for one of several things, and gives its index. Only where [`Self::is_interactive`].
    pub fn choose(&self, question: &str, items: &[&str]) -> Result<usize> {
        dialoguer::Select::new()
            .with_prompt(question)
            .items(items)
            .default(0)
            .interact()
            .map_err(|error| Error::new(ErrorKind::Interrupted, format!("ask {question:?}: {error}")))
    }

    /// Asks for some of several things, and gives their indexes. Only where
    /// [`Self::is_interactive`].
    pub fn choose_many(&self, question: &str, items: &[String]) -> Result<Vec<usize>> {
        dialoguer::MultiSelect::new()
            .with_prompt(question)
            .items(items)
            .interact()
            .map_err(|error| Error::new(ErrorKind::Interrupted, format!("ask {question:?}: {error}")))
    }

    /// Asks for a text that is something, until it is. Only where [`Self::is_interactive`].
    pub fn ask<T>(&self, question: &str, default: &str) -> Result<T>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let text: String = dialoguer::Input::new()
            .with_prompt(question)
            .default(default.to_owned())
            .validate_with(|text: &String| match text.parse::<T>() {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            })
            .interact_text()
            .map_err(|error| Error::new(ErrorKind::Interrupted, format!("ask {question:?}: {error}")))?;
        text.parse()
            .map_err(|error: T::Err| Error::request(format!("ask {question:?}: {error}")))
    }

    /// Asks for a passphrase, which is not shown; twice where a new one is chosen.
    pub fn passphrase(&self, question: &str, new: bool) -> Result<String> {
        let mut prompt = dialoguer::Password::new()
            .with_prompt(question)
            .allow_empty_password(new);
        if new {
            prompt = prompt.with_confirmation("Once more", "They differ");
        }
        prompt
            .interact()
            .map_err(|error| Error::new(ErrorKind::Interrupted, format!("ask for a passphrase: {error}")))
    }

    fn talk(&self, text: &str) {
        // Nobody is left to hear that stderr is closed.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
