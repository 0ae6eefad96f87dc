//! `stolos man`

use std::path::PathBuf;

use clap::Args;

use crate::error::{Error, Result};
use crate::render::Terminal;

/// Print the man page, or write all of them
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder to write `stolos.1` and one page a command to; default: `stolos.1` on stdout
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let pages = pages()?;
    let Some(folder) = arguments.out else {
        return terminal.answer(pages.first().map_or("", |(_, page)| page));
    };
    let failed = |error: std::io::Error| {
        Error::request(format!("write the man pages to {}: {error}", folder.display()))
    };
    std::fs::create_dir_all(&folder).map_err(failed)?;
    for (name, page) in &pages {
        std::fs::write(folder.join(name), page).map_err(failed)?;
    }
    terminal.say(&format!("wrote {} pages to {}", pages.len(), folder.display()));
    Ok(())
}

/// Every man page by its file's name, the whole command's first; hidden commands have none.
///
/// # Errors
/// A page cannot be made, which would be a bug.
pub fn pages() -> Result<Vec<(String, String)>> {
    let mut command = super::command();
    command.build();
    let mut pages = Vec::new();
    add(&mut pages, &command, "stolos")?;
    Ok(pages)
}

fn add(pages: &mut Vec<(String, String)>, command: &clap::Command, name: &str) -> Result<()> {
    let mut page = Vec::new();
    let titled = command
        .clone()
        .name(name.to_owned())
        .display_name(name.to_owned());
    clap_mangen::Man::new(titled)
        // A page says of which version it is, not of which day, so that it can be compared.
        .date("")
        .render(&mut page)
        .map_err(|error| {
            Error::new(
                crate::error::ErrorKind::Bug,
                format!("make the man page {name}: {error}"),
            )
        })?;
    pages.push((format!("{name}.1"), String::from_utf8_lossy(&page).into_owned()));
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        add(pages, child, &format!("{name}-{}", child.get_name()))?;
    }
    Ok(())
}
