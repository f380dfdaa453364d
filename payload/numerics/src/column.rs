//! Columns of decimal numbers, read without rounding.
//!
//! 88.2 is not a binary fraction. In an ill-conditioned problem the rounding
//! of the input alone costs more digits than the arithmetic, so a column is
//! kept as whole numbers of its last decimal: 882 tenths. Whoever fits with
//! it scales the coefficient back, once.

use alloc::vec::Vec;
use core::fmt;

/// A field of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing between the commas.
    Missing,
    /// `mantissa` times ten to the power of minus `decimals`.
    Number {
        /// All digits, with the sign.
        mantissa: i64,
        /// Digits after the point.
        decimals: u32,
    },
}

/// Why a column cannot be read. Lines are counted from 1, the header's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnError {
    /// The header has no such name.
    NoColumn,
    /// A line has too few fields.
    NoField(usize),
    /// A field is not a decimal number of at most 15 digits.
    NotANumber(usize),
    /// The text is not UTF-8.
    NotText,
}

impl fmt::Display for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColumn => f.write_str("the header lacks a column"),
            Self::NoField(line) => write!(f, "line {line} lacks a field"),
            Self::NotANumber(line) => write!(f, "line {line} has a field that is no number"),
            Self::NotText => f.write_str("the table is not text"),
        }
    }
}

impl core::error::Error for ColumnError {}

/// A column of a table of comma-separated values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    cells: Vec<Option<i64>>,
    decimals: u32,
}

impl Column {
    /// Reads the column that the header names. Names may be in double quotes;
    /// no field has a comma inside.
    ///
    /// # Errors
    /// See [`ColumnError`].
    pub fn read(table: &[u8], name: &str) -> Result<Self, ColumnError> {
        let text = core::str::from_utf8(table).map_err(|_| ColumnError::NotText)?;
        let mut lines = (1..).zip(text.lines());
        let place = lines
            .next()
            .and_then(|(_, header)| header.split(',').position(|n| n.trim_matches('"') == name))
            .ok_or(ColumnError::NoColumn)?;

        let mut cells = Vec::new();
        let mut most_decimals = 0;
        for (line, fields) in lines {
            let field = fields.split(',').nth(place).ok_or(ColumnError::NoField(line))?;
            let cell = cell(field).ok_or(ColumnError::NotANumber(line))?;
            if let Cell::Number { decimals, .. } = cell {
                most_decimals = most_decimals.max(decimals);
            }
            cells.push((line, cell));
        }
        // To a common number of decimals.
        let cells = cells.into_iter().map(|(line, cell)| match cell {
            Cell::Missing => Ok(None),
            Cell::Number { mantissa, decimals } => mantissa
                .checked_mul(10i64.pow(most_decimals - decimals))
                .filter(|whole| whole.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS)
                .map(Some)
                .ok_or(ColumnError::NotANumber(line)),
        });
        Ok(Self { cells: cells.collect::<Result<_, _>>()?, decimals: most_decimals })
    }

    /// The values in units of the last decimal, missing ones as `None`; whole
    /// numbers that `f64` holds exactly.
    pub fn units(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.cells.iter().map(|cell| cell.map(|whole| whole as f64))
    }

    /// How many units make one: a power of ten.
    pub fn units_per_one(&self) -> f64 {
        10i64.pow(self.decimals) as f64
    }
}

/// Reads `-12.5`: no exponent, no blanks, at most 15 digits, so that every
/// power of ten in sight fits an i64.
fn cell(field: &str) -> Option<Cell> {
    const DIGITS: usize = 15;
    if field.is_empty() {
        return Some(Cell::Missing);
    }
    let (negative, digits) = match field.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, field),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let count = whole.len() + fraction.len();
    if whole.is_empty() || count > DIGITS {
        return None;
    }
    let mut mantissa = 0i64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        mantissa = mantissa * 10 + i64::from(digit);
    }
    // At most 15, by the check above.
    let decimals = fraction.len() as u32;
    Some(Cell::Number { mantissa: if negative { -mantissa } else { mantissa }, decimals })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(table: Vec<u8>, name in "[a-z]{0,2}") {
            let _ = Column::read(&table, &name);
        }

        #[test]
        fn what_it_reads_is_the_number(mantissa in -999_999_999_999_999i64..=999_999_999_999_999) {
            let text = mantissa.to_string();
            prop_assert_eq!(cell(&text), Some(Cell::Number { mantissa, decimals: 0 }));
        }
    }

    #[test]
    fn decimals_become_whole_numbers_and_gaps_stay_gaps() {
        let column = Column::read(b"\"a\",\"b\"\n1,83\n2,\n3,88.25\n4,-0.5\n", "b").unwrap();
        let units: Vec<_> = column.units().collect();
        assert_eq!(units, vec![Some(8300.0), None, Some(8825.0), Some(-50.0)]);
        assert_eq!(column.units_per_one(), 100.0);
    }

    #[test]
    fn bad_tables_say_where() {
        assert_eq!(Column::read(b"a,b\n1,2\n", "c"), Err(ColumnError::NoColumn));
        assert_eq!(Column::read(b"", "c"), Err(ColumnError::NoColumn));
        assert_eq!(Column::read(b"a,b\n1\n", "b"), Err(ColumnError::NoField(2)));
        assert_eq!(Column::read(b"a\xff\n", "a"), Err(ColumnError::NotText));
        for bad in ["x", "1e5", "-", ".5", "1.2.3", " 1", "1234567890123456", "+1", "5\u{0660}"] {
            let table = ["a\n1\n", bad].concat();
            assert_eq!(
                Column::read(table.as_bytes(), "a"),
                Err(ColumnError::NotANumber(3)),
                "{bad}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_a_float_exactly_is_refused() {
        let table = b"a\n123456789012345\n0.123\n";
        assert_eq!(Column::read(table, "a"), Err(ColumnError::NotANumber(2)));
    }
}
