//! Tables for reading: aligned columns without borders, as kubectl's.

use comfy_table::{ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

/// The columns of a table that is printed in parts: wide enough for what is known when they are
/// laid out; what comes later and is wider moves the rest of its line.
#[derive(Debug)]
pub struct Columns<const COLUMNS: usize>([usize; COLUMNS]);

impl<const COLUMNS: usize> Columns<COLUMNS> {
    /// Columns for a header, rows and cells that will come; an empty cell asks for nothing.
    pub fn of<'rows>(
        header: &[&str; COLUMNS],
        rows: impl IntoIterator<Item = &'rows [String; COLUMNS]>,
    ) -> Self {
        let mut widths = header.map(UnicodeWidthStr::width);
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        Self(widths)
    }

    /// One line, as `table` writes it.
    pub fn line(&self, cells: &[impl AsRef<str>; COLUMNS]) -> String {
        self.some(cells, |_| true)
    }

    /// One line of some of the columns.
    pub fn some(&self, cells: &[impl AsRef<str>; COLUMNS], is_shown: impl Fn(usize) -> bool) -> String {
        let mut line = String::new();
        for (index, (width, cell)) in self.0.iter().zip(cells).enumerate() {
            if !is_shown(index) {
                continue;
            }
            let cell = cell.as_ref();
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + GAP));
        }
        line.trim_end().to_owned() + "\n"
    }
}

/// Spaces between columns.
const GAP: usize = 2;

/// A table of a header and rows, as text.
pub fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP as u16));
    }
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_in_parts_is_the_same_table() {
        let header = ["NAME", "CONTEXT", "READY"];
        let rows =
            [["east", "öst 東", "yes 1/1"], ["a-long-name", "b", ""]].map(|row| row.map(str::to_owned));
        let columns = Columns::of(&header, &rows);
        let parts: String = std::iter::once(columns.line(&header))
            .chain(rows.iter().map(|row| columns.line(row)))
            .collect();
        assert_eq!(parts, table(header, rows.clone()));
        // What nobody knew of moves its own line alone.
        assert_eq!(
            columns.line(&["a-much-longer-name", "c", "no"]),
            "a-much-longer-name  c        no\n"
        );
    }
}
