#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `bootstrap`: how fast CO2 grows, and how sure that is.
//!
//! In a package it is a command with these capabilities, in this order: the
//! console, a timer, the region with the table, the region with the seed, the
//! log. Every resample leaves a claim, the last claim has the digest of the
//! printed result. On a host it takes the two files as arguments and prints
//! the same text, for comparison.

#[cfg(target_arch = "wasm32")]
extern crate alloc;

#[cfg(target_arch = "wasm32")]
mod program;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> Result<(), Box<dyn core::error::Error>> {
    use bootstrap::model::Trend;
    use bootstrap::run::{Observer, Stopped, run};

    struct Printer;

    impl Observer for Printer {
        fn say(&mut self, text: &str) {
            print!("{text}");
        }

        fn resampled(&mut self, _: usize, _: &Trend) -> Result<(), Stopped> {
            Ok(())
        }
    }

    let files: Vec<_> = std::env::args().skip(1).collect();
    let [table, seed] = &files[..] else { return Err("usage: bootstrap TABLE.csv SEED".into()) };
    run(&std::fs::read(table)?, &std::fs::read(seed)?, &mut Printer)?;
    Ok(())
}
