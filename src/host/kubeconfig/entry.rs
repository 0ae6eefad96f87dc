//! An entry of a kubeconfig's lists, for errors: how it is called, and on which line it stands.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::yaml::go_yaml::{self, Id, Kind, Tree};

/// An entry, such as `users["a"].user`.
#[derive(Clone, Copy)]
pub(super) struct Entry<'name> {
    list: &'static str,
    name: &'name str,
    content: &'static str,
}

impl<'name> Entry<'name> {
    pub(super) fn new(list: &'static str, name: &'name str, content: &'static str) -> Self {
        Self { list, name, content }
    }

    /// The line, from 1, of a field of the entry's content, such as `exec.command`, or of the last
    /// thing on the way to it that is there. None where the entry is not there.
    fn line(&self, tree: &Tree, field: &str) -> Option<usize> {
        let Kind::List(entries) = tree.kind(below(tree, tree.root(), self.list)?) else {
            return None;
        };
        let is_named = |id: &&Id| {
            let name = below(tree, **id, "name").map(|name| tree.kind(name));
            matches!(name, Some(Kind::Text(name)) if name == self.name)
        };
        let mut last = *entries.iter().find(is_named)?;
        for step in std::iter::once(self.content).chain(field.split('.')) {
            match below(tree, last, step) {
                Some(found) => last = found,
                None => break,
            }
        }
        Some(tree.line(last))
    }
}

/// The lines of files in which something is wrong. Such a file is read once more for them, whole: that
/// is rare, and what lines there are would have to be kept of every file.
#[derive(Default)]
pub(super) struct Lines(Mutex<HashMap<PathBuf, Option<Tree>>>);

impl Lines {
    /// The line, from 1, of a field of an entry's content, or of what it is missing from. None where
    /// the file has changed so much that the entry is not there.
    pub(super) fn of(&self, file: &Path, entry: &Entry<'_>, field: &str) -> Option<usize> {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tree = read.entry(file.to_owned()).or_insert_with(|| read_again(file));
        entry.line(tree.as_ref()?, field)
    }
}

/// A file once more. A pipe gives what it held only once, and whoever opens it again may wait for ever.
fn read_again(file: &Path) -> Option<Tree> {
    let is_file = std::fs::metadata(file).is_ok_and(|metadata| metadata.is_file());
    let bytes = is_file.then(|| std::fs::read(file).ok())??;
    go_yaml::read(&bytes).ok()
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}[{:?}].{}", self.list, self.name, self.content)
    }
}

fn below(tree: &Tree, id: Id, field: &str) -> Option<Id> {
    match tree.kind(id) {
        Kind::Map(map) => map.get(field),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stands_on_a_line_or_is_missing_from_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "apiVersion: v1\nusers:\n- name: a\n  user: {}\n- name: b\n  user:\n    exec:\n      command: x\n";
        std::fs::write(file.path(), text).unwrap();
        let lines = Lines::default();
        let line = |name: &str, field: &str| lines.of(file.path(), &Entry::new("users", name, "user"), field);
        assert_eq!(line("b", "exec.command"), Some(8));
        assert_eq!(line("b", "exec.env"), Some(8), "a map starts with its first key");
        assert_eq!(line("a", "token"), Some(4));
        assert_eq!(line("a", ""), Some(4));
        assert_eq!(line("c", "token"), None);
    }
}
