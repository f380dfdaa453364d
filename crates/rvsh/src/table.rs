//! Aligned tables.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

/// How a column's cells line up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a header, two blanks between columns.
pub(crate) struct Table {
    columns: Vec<(Align, usize)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(headings: &[(&str, Align)]) -> Self {
        let columns = headings.iter().map(|(_, align)| (*align, 0)).collect();
        let mut table = Self { columns, rows: Vec::new() };
        table.row(headings.iter().map(|(name, _)| name.to_string()));
        table
    }

    /// A table of names and what they stand for, without headings.
    pub(crate) fn of_pairs() -> Self {
        Self { columns: [(Align::Left, 0); 2].into(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are columns.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().take(self.columns.len()).collect();
        for ((_, width), cell) in self.columns.iter_mut().zip(&cells) {
            *width = (*width).max(cell.chars().count());
        }
        self.rows.push(cells);
    }

    /// Adds a row to a table of pairs.
    pub(crate) fn pair(&mut self, name: &str, value: impl Display) {
        self.row([name.to_string(), value.to_string()]);
    }

    /// The text, one line a row, without blanks at line ends.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let start = text.len();
            for ((align, width), cell) in self.columns.iter().zip(row) {
                let padding = width - cell.chars().count();
                let (before, after) =
                    if *align == Align::Right { (padding, 0) } else { (0, padding) };
                text.extend(core::iter::repeat_n(' ', before));
                text.push_str(cell);
                text.extend(core::iter::repeat_n(' ', after + 2));
            }
            text.truncate(start + text[start..].trim_end().len());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_clean() {
        let mut table =
            Table::new(&[("name", Align::Left), ("size", Align::Right), ("note", Align::Left)]);
        table.row(["é", "10", ""].map(String::from));
        table.row(["longer", "5", "x"].map(String::from));
        assert_eq!(table.render(), "name    size  note\né         10\nlonger     5  x\n");
    }
}
