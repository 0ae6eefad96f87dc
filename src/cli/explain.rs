//! `stolos explain`

use crate::error::{Error, Result};
use crate::render::Terminal;
use crate::render::table::table;
use crate::status::catalogue;

/// Explain a finding by its code; without a code, list them all
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A finding's code, such as `link-rejected`
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub async fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let Some(code) = arguments.code else {
        let rows = catalogue::entries().map(|entry| {
            [
                entry.code.to_owned(),
                entry.severity.as_str().to_owned(),
                entry.title.to_owned(),
            ]
        });
        return terminal.answer(&table(["CODE", "SEVERITY", "TITLE"], rows));
    };
    let entry = catalogue::entry(&code).ok_or_else(|| unknown(&code))?;
    terminal.answer(&format!(
        "{} ({})\n{}\n\n{}\n\nWhat to do: {}\n",
        entry.code,
        entry.severity.as_str(),
        entry.title,
        entry.explanation,
        entry.hint
    ))
}

fn unknown(code: &str) -> Error {
    let nearest = catalogue::entries()
        .map(|entry| (strsim::jaro_winkler(code, entry.code), entry.code))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _)| *likeness > 0.75);
    let error = Error::request(format!("explain {code:?}: there is no finding with that code"));
    match nearest {
        Some((_, nearest)) => error.hint(format!("did you mean `stolos explain {nearest}`?")),
        None => error.hint("`stolos explain` lists the codes"),
    }
}
