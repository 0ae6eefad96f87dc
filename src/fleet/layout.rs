//! Where things stand in a YAML text written in block style: lines, keys, list items. Enough to
//! change one item without touching another line, and to say the line of a field; whoever edits by
//! it reads the result again and compares (see [`super::edit`]), so it need not know all of YAML.

use std::ops::Range;

/// One line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'text> {
    /// Without its end.
    pub text: &'text str,
    /// `\n`, `\r\n`, or nothing at the end of the text.
    pub end: &'text str,
}

impl Line<'_> {
    /// Spaces before the first other character.
    pub(super) fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// Nothing but space.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn is_comment(&self) -> bool {
        self.text.trim_start().starts_with('#')
    }

    /// Whether it holds content, and is no directive or document mark.
    fn is_content(&self) -> bool {
        !self.is_blank()
            && !self.is_comment()
            && !self.text.starts_with('%')
            && !["---", "..."].contains(&self.text.trim_end())
    }
}

/// A text as lines.
pub(super) struct Layout<'text> {
    pub lines: Vec<Line<'text>>,
}

/// A key of a mapping, with the lines that it and its value take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: String,
    /// The column that the key begins at.
    pub column: usize,
    /// What stands after the colon on the key's line, without the space before it.
    pub rest: String,
    pub lines: Range<usize>,
}

impl Entry {
    /// The lines after the key's.
    pub(super) fn below(&self) -> Range<usize> {
        self.lines.start + 1..self.lines.end
    }

    /// What stands on the key's line, without a comment.
    pub(super) fn value(&self) -> &str {
        without_comment(&self.rest).trim_end()
    }
}

/// An item of a list, with the lines that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// The column of the dash.
    pub dash: usize,
    /// The column of what stands after the dash.
    pub column: usize,
    pub lines: Range<usize>,
}

impl<'text> Layout<'text> {
    pub(super) fn of(text: &'text str) -> Self {
        let lines = text
            .split_inclusive('\n')
            .map(|line| {
                let content = line.trim_end_matches('\n');
                let content = content.strip_suffix('\r').unwrap_or(content);
                Line {
                    text: content,
                    end: &line[content.len()..],
                }
            })
            .collect();
        Self { lines }
    }

    /// The keys of the mapping that takes these lines.
    pub(super) fn entries(&self, range: Range<usize>) -> Vec<Entry> {
        let Some(first) = self.first_content(&range) else {
            return Vec::new();
        };
        self.entries_at(first..range.end, self.lines[first].indent())
    }

    /// The keys of the mapping in a list item: its first stands on the dash's line.
    pub(super) fn entries_of(&self, item: &Item) -> Vec<Entry> {
        let beside_dash = self.after(item.lines.start, item.dash + 1);
        if without_comment(beside_dash).trim().is_empty() {
            return self.entries(item.lines.start + 1..item.lines.end);
        }
        self.entries_at(item.lines.clone(), item.column)
    }

    fn entries_at(&self, range: Range<usize>, column: usize) -> Vec<Entry> {
        let first = range.start;
        let starts: Vec<usize> = range
            .clone()
            .filter(|&line| {
                line == first || (self.lines[line].is_content() && self.lines[line].indent() == column)
            })
            .filter(|&line| key(self.after(line, column)).is_some())
            .collect();
        starts
            .iter()
            .enumerate()
            .filter_map(|(index, &start)| {
                let (key, rest) = key(self.after(start, column))?;
                let end = starts.get(index + 1).copied().unwrap_or(range.end);
                let end = self.end_of(start..end, column);
                Some(Entry {
                    key,
                    column,
                    rest: rest.to_owned(),
                    lines: start..end,
                })
            })
            .collect()
    }

    /// The items of the list that takes these lines.
    pub(super) fn items(&self, range: Range<usize>) -> Vec<Item> {
        let Some(first) = self.first_content(&range) else {
            return Vec::new();
        };
        let dash = self.lines[first].indent();
        let starts: Vec<usize> = (first..range.end)
            .filter(|&line| {
                self.lines[line].is_content()
                    && self.lines[line].indent() == dash
                    && is_dash(self.after(line, dash))
            })
            .collect();
        starts
            .iter()
            .enumerate()
            .map(|(index, &start)| {
                let end = starts.get(index + 1).copied().unwrap_or(range.end);
                let after = &self.after(start, dash)[1..];
                Item {
                    dash,
                    column: dash + 1 + (after.len() - after.trim_start_matches(' ').len()),
                    lines: start..self.end_of(start..end, dash),
                }
            })
            .collect()
    }

    /// The line (from 1) of a field, or of the nearest that holds it, as far as block style goes.
    pub(super) fn line_of(&self, path: &[Segment<'_>]) -> Option<usize> {
        let mut range = 0..self.lines.len();
        let mut entries = self.entries(range.clone());
        let mut found = None;
        for segment in path {
            match segment {
                Segment::Key(wanted) => {
                    let Some(entry) = entries.iter().find(|entry| entry.key == *wanted) else {
                        break;
                    };
                    found = Some(entry.lines.start + 1);
                    range = entry.below();
                    entries = self.entries(range.clone());
                }
                Segment::Index(index) => {
                    let items = self.items(range.clone());
                    let Some(item) = items.get(*index) else { break };
                    found = Some(item.lines.start + 1);
                    range = item.lines.clone();
                    entries = self.entries_of(item);
                }
            }
        }
        found
    }

    /// What stands on a line from a column on.
    fn after(&self, line: usize, column: usize) -> &'text str {
        self.lines[line].text.get(column..).unwrap_or_default()
    }

    fn first_content(&self, range: &Range<usize>) -> Option<usize> {
        range.clone().find(|&line| self.lines[line].is_content())
    }

    /// Where something that begins at a column ends: after its last content, and after comments
    /// that are indented more than it. Blank lines and other comments after it are not its own.
    fn end_of(&self, range: Range<usize>, column: usize) -> usize {
        range
            .clone()
            .rev()
            .find(|&line| {
                let line = &self.lines[line];
                line.is_content() || (line.is_comment() && line.indent() > column)
            })
            .map_or(range.start + 1, |line| line + 1)
    }
}

/// A step of a path to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'path> {
    Key(&'path str),
    Index(usize),
}

/// The segments of a path such as `spec.clusters[1].uid`.
pub(super) fn segments(path: &str) -> Vec<Segment<'_>> {
    path.split('.')
        .flat_map(|part| {
            let (key, indexes) = part.split_once('[').unwrap_or((part, ""));
            let indexes = indexes
                .split(['[', ']'])
                .filter_map(|index| index.parse().ok().map(Segment::Index));
            std::iter::once(Segment::Key(key)).chain(indexes)
        })
        .collect()
}

/// A key and what stands after its colon; nothing where the text does not begin with a key.
fn key(text: &str) -> Option<(String, &str)> {
    let (name, rest) = match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].split_once(quote)?,
        character if "#-[]{}&*!|>%@`,?".contains(character) => return None,
        _ => {
            let end = text
                .match_indices(':')
                .map(|(index, _)| index)
                .find(|&index| matches!(text[index + 1..].chars().next(), None | Some(' ')))?;
            text.split_at(end)
        }
    };
    let rest = rest.trim_start().strip_prefix(':')?;
    if !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    Some((name.trim_end().to_owned(), rest.trim_start()))
}

fn is_dash(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// A value's line without the comment after it; a `#` within quotes, or without a space before it,
/// begins none.
pub(super) fn without_comment(text: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (index, character) in text.char_indices() {
        match (quote, character) {
            // A quote right after the same quote is one that was written twice, within the text.
            (None, '"' | '\'') if " [{,".contains(before) || before == character => quote = Some(character),
            (Some(open), _) if open == character && !(open == '"' && before == '\\') => quote = None,
            (None, '#') if before == ' ' => return &text[..index],
            _ => {}
        }
        before = character;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# head
kind: Fleet
spec:
  clusters:
  # one
  - name: a   # first
    uid: 1
    # of a

  # two
  -   name: 'b'
      labels:
        x: |
          # not a comment
          - y

  \"mesh\": {}
";

    #[test]
    fn keys_and_items_are_found_with_their_lines() {
        let layout = Layout::of(TEXT);
        let spec = layout.entries(0..layout.lines.len()).remove(1);
        assert_eq!((spec.key.as_str(), spec.lines.clone()), ("spec", 2..17));
        let below = layout.entries(spec.below());
        let keys: Vec<&str> = below.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["clusters", "mesh"]);
        let items = layout.items(below[0].below());
        let lines: Vec<Range<usize>> = items.iter().map(|item| item.lines.clone()).collect();
        assert_eq!(lines, [5..8, 10..15]);
        assert_eq!((items[1].dash, items[1].column), (2, 6));
        let entries = layout.entries_of(&items[0]);
        assert_eq!(
            (entries[0].rest.as_str(), entries[0].value()),
            ("a   # first", "a")
        );
        assert_eq!(layout.entries_of(&items[1])[1].lines, 11..15);
    }

    #[test]
    fn the_line_of_a_field_or_of_what_holds_it_is_known() {
        let layout = Layout::of(TEXT);
        for (path, line) in [
            ("kind", Some(2)),
            ("spec.clusters[0].uid", Some(7)),
            ("spec.clusters[1].name", Some(11)),
            ("spec.clusters[1].network", Some(11)),
            ("spec.mesh.model", Some(17)),
            ("status", None),
        ] {
            assert_eq!(layout.line_of(&segments(path)), line, "{path}");
        }
    }

    #[test]
    fn comments_are_told_from_values() {
        for (text, value) in [
            ("a # b", "a "),
            ("a#b", "a#b"),
            ("\"a # b\" # c", "\"a # b\" "),
            ("'it''s # x' # y", "'it''s # x' "),
            ("it's # y", "it's "),
            ("# only", ""),
        ] {
            assert_eq!(without_comment(text), value, "{text}");
        }
    }
}
