//! The whole computation, from two files to a text, with someone watching.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::model::{self, TooShort, Trend};
use crate::report;
use crate::resample::{RESAMPLES, Resamples};
use crate::series::{Series, SeriesError};

/// Who hears of the result as it comes.
pub trait Observer {
    /// Text of the result, in parts.
    fn say(&mut self, text: &str);

    /// A resample, numbered from 0, as it was drawn. An error ends the run.
    ///
    /// # Errors
    /// As the observer has them.
    fn resampled(&mut self, number: usize, trend: &Trend) -> Result<(), Stopped>;
}

/// The observer wants no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunError {
    /// The table is not a record.
    Series(SeriesError),
    /// The seed is not a decimal number below 2^64 and a line feed.
    Seed,
    /// The record is too short.
    Model(TooShort),
    /// The text cannot be made.
    Text,
    /// The observer wants no more.
    Stopped,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(error) => error.fmt(f),
            Self::Seed => f.write_str("the seed is not a decimal number and a line feed"),
            Self::Model(error) => error.fmt(f),
            Self::Text => f.write_str("the text cannot be made"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl core::error::Error for RunError {}

macro_rules! from {
    ($($error:ty => |$name:pat_param| $into:expr;)*) => {
        $(impl From<$error> for RunError {
            fn from($name: $error) -> Self {
                $into
            }
        })*
    };
}

from! {
    SeriesError => |error| Self::Series(error);
    TooShort => |error| Self::Model(error);
    fmt::Error => |_| Self::Text;
    Stopped => |_| Self::Stopped;
}

/// Fits, resamples, reports.
///
/// # Errors
/// See [`RunError`].
pub fn run(table: &[u8], seed: &[u8], observer: &mut dyn Observer) -> Result<(), RunError> {
    let seed = parse_seed(seed).ok_or(RunError::Seed)?;
    let series = Series::read(table)?;
    let fit = model::fit(&series)?;
    let mut text = String::new();
    report::before(&series, &fit, &mut text)?;
    observer.say(&text);

    let mut growths = Vec::with_capacity(RESAMPLES);
    let mut accelerations = Vec::with_capacity(RESAMPLES);
    for (number, trend) in Resamples::new(&fit, seed).take(RESAMPLES).enumerate() {
        observer.resampled(number, &trend)?;
        growths.push(trend.growth);
        accelerations.push(trend.acceleration);
    }
    text.clear();
    report::after(&fit, seed, &mut growths, &mut accelerations, &mut text)?;
    observer.say(&text);
    Ok(())
}

fn parse_seed(seed: &[u8]) -> Option<u64> {
    let digits = core::str::from_utf8(seed).ok()?.strip_suffix('\n')?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::Spread;

    const CO2: &[u8] = include_bytes!("../data/co2.csv");
    const SEED: &[u8] = include_bytes!("../data/seed.txt");

    #[derive(Default)]
    struct Keeper {
        text: String,
        trends: Vec<Trend>,
        stop_at: Option<usize>,
    }

    impl Observer for Keeper {
        fn say(&mut self, text: &str) {
            self.text.push_str(text);
        }

        fn resampled(&mut self, number: usize, trend: &Trend) -> Result<(), Stopped> {
            assert_eq!(number, self.trends.len());
            self.trends.push(*trend);
            if self.stop_at == Some(number) { Err(Stopped) } else { Ok(()) }
        }
    }

    #[test]
    fn the_text_is_what_it_was() {
        let mut keeper = Keeper::default();
        run(CO2, SEED, &mut keeper).unwrap();
        assert_eq!(keeper.text, include_str!("../data/expected.txt"));
        assert_eq!(keeper.trends.len(), RESAMPLES);
    }

    /// Computed apart from this program: in Python, with the normal equations
    /// in rational arithmetic and a stream of random numbers of its own.
    #[test]
    fn the_numbers_are_those_of_an_independent_program() {
        let fit = model::fit(&Series::read(CO2).unwrap()).unwrap();
        let mut keeper = Keeper::default();
        run(CO2, SEED, &mut keeper).unwrap();
        let (first, last) = (keeper.trends[0], keeper.trends[999]);
        let growths = keeper.trends.iter().map(|trend| trend.growth);
        let accelerations = keeper.trends.iter().map(|trend| trend.acceleration);
        let growth = Spread::of(&mut growths.collect::<Vec<_>>());
        let acceleration = Spread::of(&mut accelerations.collect::<Vec<_>>());
        for (found, independent) in [
            (fit.trend.growth, 1.3384803604600835),
            (fit.trend.acceleration, 0.023375993038289616),
            (fit.deviation, 0.7946734937522248),
            (fit.errors.growth, 0.00135024014252902),
            (fit.errors.acceleration, 0.00023866410994062039),
            (model::autocorrelation(&fit.residuals), 0.8641191300964087),
            (first.growth, 1.3316932226579108),
            (first.acceleration, 0.024863722031099416),
            (last.growth, 1.332281438372678),
            (last.acceleration, 0.022856907431730834),
            (growth.deviation, 0.00797868267483093),
            (growth.interval.0, 1.3229126601290786),
            (growth.interval.1, 1.353628862699145),
            (acceleration.deviation, 0.0014210953310741647),
            (acceleration.interval.0, 0.020902227186929474),
            (acceleration.interval.1, 0.026285749160638867),
        ] {
            assert!((found / independent - 1.0).abs() < 1e-11, "{found} {independent}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_sample_and_another_seed_another() {
        let trends = |seed: &[u8]| {
            let mut keeper = Keeper { stop_at: Some(9), ..Keeper::default() };
            assert_eq!(run(CO2, seed, &mut keeper), Err(RunError::Stopped));
            keeper.trends
        };
        assert_eq!(trends(b"1\n"), trends(b"1\n"));
        assert_ne!(trends(b"1\n"), trends(b"2\n"));
    }

    #[test]
    fn bad_input_is_refused() {
        let run = |table, seed| run(table, seed, &mut Keeper::default()).unwrap_err();
        for seed in [&b""[..], b"\n", b"1", b"-1\n", b"+1\n", b"18446744073709551616\n", b"\xff\n"]
        {
            assert_eq!(run(CO2, seed), RunError::Seed);
        }
        assert_eq!(
            run(b"", SEED),
            RunError::Series(SeriesError::Column("date", numerics::ColumnError::NoColumn))
        );
        assert_eq!(run(b"date,co2\n20010101,1.0\n", SEED), RunError::Model(TooShort));
    }
}
