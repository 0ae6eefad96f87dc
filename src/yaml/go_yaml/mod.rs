//! YAML 1.1 as kubectl reads it: what `sigs.k8s.io/yaml` makes of a text with go-yaml
//! (`go.yaml.in/yaml/v2` 2.4), and what Go's `encoding/json` makes of that. Where that library strays
//! from the specification, so does this: which files are accepted, and as what, has to be the same.
//!
//! ```text
//!  bytes ─ reader ─► characters ─ scanner ─► tokens ─ parser ─► events ─ nodes ─► nodes ─ values ─► Tree
//! ```
//!
//! Nothing here recurses: a text decides how deep its nodes lie, and a stack has an end.

mod flow;
mod json;
mod map;
mod nodes;
mod number;
mod parser;
mod properties;
mod reader;
mod resolve;
mod scalars;
mod scanner;
#[cfg(test)]
mod tests;
mod timestamp;
mod token;
mod unfold;
mod values;

pub use json::{push_text, write_json};
pub use resolve::BASE64;
pub use values::{Id, Kind, Map, Tree};

use super::YamlError;

/// A place in a text. Line and column count from 0.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    /// Characters before it.
    index: usize,
    line: usize,
    column: usize,
}

/// Why a text cannot be read; never a word of it.
#[derive(Debug)]
struct Problem {
    /// From 1.
    line: usize,
    /// From 1; 0 where only the line is known.
    column: usize,
    what: &'static str,
}

impl Problem {
    fn at(mark: Mark, what: &'static str) -> Self {
        Self {
            line: mark.line + 1,
            column: mark.column + 1,
            what,
        }
    }

    fn on(line: usize, what: &'static str) -> Self {
        Self {
            line: line + 1,
            column: 0,
            what,
        }
    }
}

/// Reads the first document of a text; null where there is none.
///
/// # Errors
/// It is not YAML 1.1, or holds what JSON cannot say, or unfolds without measure.
pub fn read(bytes: &[u8]) -> Result<Tree, YamlError> {
    nodes::compose(bytes)
        .and_then(unfold::unfold)
        .map_err(|problem| match problem.column {
            0 => YamlError::Refused {
                line: problem.line,
                problem: problem.what,
            },
            column => YamlError::Unreadable {
                line: problem.line,
                column,
                problem: problem.what,
            },
        })
}
