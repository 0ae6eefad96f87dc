//! When which cluster was on the screen.

use std::collections::{BTreeMap, BTreeSet};

use crate::meter::Metered;

/// When each name first began a line of an output, in seconds after the start: a row of a table on
/// stdout (after the mark of the current one), or a line on stderr that ends the name with a colon.
pub fn seen<'names>(
    metered: &Metered,
    names: &BTreeSet<&'names str>,
    on_stderr: bool,
) -> BTreeMap<&'names str, f64> {
    let mut seen = BTreeMap::new();
    for line in metered.lines.iter().filter(|line| line.error == on_stderr) {
        let word = line
            .text
            .trim_start_matches([' ', '*'])
            .split_whitespace()
            .next()
            .unwrap_or_default();
        let name = if on_stderr {
            word.strip_suffix(':')
        } else {
            Some(word)
        };
        if let Some(name) = name.and_then(|name| names.get(name)) {
            seen.entry(*name).or_insert(line.at as f64 / 1e6);
        }
    }
    seen
}

/// When the last of some clusters was there, in seconds after the start; none where one was not.
pub fn all_seen(metered: &Metered, names: &BTreeSet<&str>, on_stderr: bool) -> Option<f64> {
    let seen = seen(metered, names, on_stderr);
    let last = seen.values().copied().max_by(f64::total_cmp);
    last.filter(|_| seen.len() == names.len())
}
