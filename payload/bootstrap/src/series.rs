//! The record: weekly means with dates and gaps.

use alloc::vec::Vec;
use core::fmt;

use numerics::{Column, ColumnError};

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    year: i32,
    month: i32,
    day: i32,
}

impl Date {
    /// The day written as `YYYYMMDD`.
    fn from_digits(digits: f64) -> Option<Self> {
        let range = 10_000_101.0..=99_991_231.0;
        let digits = range.contains(&digits).then_some(digits as i32)?;
        let date = Self { year: digits / 10_000, month: digits / 100 % 100, day: digits % 100 };
        let exists = (1..=12).contains(&date.month)
            && date.day >= 1
            && date.day <= days_of_month(date.year, date.month);
        exists.then_some(date)
    }

    /// Days since the first of March of the year 0, counted by the calendar's
    /// rules: years from March on put the leap day at a year's end.
    fn day_number(self) -> i32 {
        let march_year = if self.month > 2 { self.year } else { self.year - 1 };
        let march_month = (self.month + 9) % 12;
        365 * march_year + march_year / 4 - march_year / 100
            + march_year / 400
            + (153 * march_month + 2) / 5
            + self.day
            - 1
    }
}

fn days_of_month(year: i32, month: i32) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// Weeks with a mean, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The first and the last date of the table.
    pub span: (Date, Date),
    /// Time of each mean, in years of 365.25 days from the middle of the span.
    pub years: Vec<f64>,
    /// The means, in ppm.
    pub ppm: Vec<f64>,
    /// Weeks without a mean.
    pub missing: usize,
}

/// Why the table cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeriesError {
    /// A column cannot be read.
    Column(&'static str, ColumnError),
    /// A date is missing, does not exist, or is not after the one before it.
    Date(usize),
    /// There is no row.
    Empty,
}

impl fmt::Display for SeriesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name, error) => write!(f, "column {name}: {error}"),
            Self::Date(line) => write!(f, "the date in line {line} is not a later day"),
            Self::Empty => f.write_str("the table has no rows"),
        }
    }
}

impl core::error::Error for SeriesError {}

/// Days in the year that the annual cycle is taken to have.
const DAYS_OF_YEAR: f64 = 365.25;

impl Series {
    /// Reads the columns `date` and `co2`.
    ///
    /// # Errors
    /// See [`SeriesError`].
    pub fn read(table: &[u8]) -> Result<Self, SeriesError> {
        let column =
            |name| Column::read(table, name).map_err(|error| SeriesError::Column(name, error));
        let (dates, means) = (column("date")?, column("co2")?);

        let mut days = Vec::new();
        let mut span = None;
        for (line, digits) in (2..).zip(dates.units()) {
            let date = digits.and_then(Date::from_digits).ok_or(SeriesError::Date(line))?;
            if days.last().is_some_and(|last| *last >= date.day_number()) {
                return Err(SeriesError::Date(line));
            }
            days.push(date.day_number());
            span = Some((span.map_or(date, |(first, _)| first), date));
        }
        let span = span.ok_or(SeriesError::Empty)?;
        let middle = f64::from(span.0.day_number() + span.1.day_number()) / 2.0;

        let (mut years, mut ppm) = (Vec::new(), Vec::new());
        for (day, units) in days.iter().zip(means.units()) {
            if let Some(units) = units {
                years.push((f64::from(*day) - middle) / DAYS_OF_YEAR);
                ppm.push(units / means.units_per_one());
            }
        }
        Ok(Self { span, missing: days.len() - ppm.len(), years, ppm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const CO2: &[u8] = include_bytes!("../data/co2.csv");

    #[test]
    fn the_record_has_its_weeks_and_gaps() {
        let series = Series::read(CO2).unwrap();
        assert_eq!((series.ppm.len(), series.missing), (2225, 59));
        assert_eq!(series.span.0.to_string(), "1958-03-29");
        assert_eq!(series.span.1.to_string(), "2001-12-29");
        assert_eq!(series.years[0], -series.years[series.years.len() - 1]);
        // 1958-03-29 to 2001-12-29 are 15,981 days.
        assert_eq!(series.years[0], -15_981.0 / 2.0 / 365.25);
        assert_eq!((series.ppm[0], series.ppm[2224]), (316.1, 371.5));
    }

    #[test]
    fn the_calendar_is_gregorian() {
        let day = |digits: i32| Date::from_digits(f64::from(digits)).map(Date::day_number);
        assert_eq!(day(19700101).unwrap() - day(19691231).unwrap(), 1);
        assert_eq!(day(20000301).unwrap() - day(20000228).unwrap(), 2);
        assert_eq!(day(19000301).unwrap() - day(19000228).unwrap(), 1);
        assert_eq!(day(20010101).unwrap() - day(19010101).unwrap(), 36525);
        for wrong in [20010229, 20011301, 20010100, 20010431, 101] {
            assert_eq!(day(wrong), None);
        }
    }

    #[test]
    fn bad_tables_are_refused() {
        let read = |table: &[u8]| Series::read(table).unwrap_err();
        assert_eq!(read(b"date,co2\n"), SeriesError::Empty);
        assert_eq!(read(b"date,co2\n20010101,1\n20010101,1\n"), SeriesError::Date(3));
        assert_eq!(read(b"date,co2\n,1\n"), SeriesError::Date(2));
        assert_eq!(read(b"date\n20010101\n"), SeriesError::Column("co2", ColumnError::NoColumn));
    }
}
