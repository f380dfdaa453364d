//! The program in a package.

use bootstrap::model::Trend;
use bootstrap::run::{Observer, RunError, Stopped, run};
use sdk::{Console, Error, Log, Queue, Region, Timer, print, println};
use sha2::{Digest, Sha256};

const CONSOLE: Queue = Queue::initial(0);
const TIMER: Timer = Timer::initial(1);
const TABLE: Region = Region::initial(2);
const SEED: Region = Region::initial(3);
const LOG: Log = Log::initial(4);

/// Type of the claim "this is the SHA-256 of my result".
const RESULT: u32 = 1;

/// Type of the claim "this is a resample". The body is its number, growth and
/// acceleration; the digest is the SHA-256 of the digest before it (zeros at
/// first) and the body, so that the last one stands for all.
const RESAMPLE: u32 = 2;

/// Number u32, growth f64, acceleration f64, little-endian.
const RESAMPLE_BYTES: usize = 4 + 8 + 8;

/// Largest table and seed taken, in bytes.
const TABLE_BYTES: usize = 64 << 10;
const SEED_BYTES: usize = 32;

#[global_allocator]
static HEAP: sdk::Heap<{ 3 << 20 }> = sdk::Heap::new();

sdk::entry!(main, console: CONSOLE);

/// 0 for an attested result, 2 where there is none.
fn main() -> i32 {
    let mut witness = Witness {
        console: Console::new(CONSOLE, Some(TIMER)),
        text: Sha256::new(),
        chain: [0; 32],
        refused: None,
    };
    let result = witness.work();
    match (result, witness.refused) {
        (Ok(()), _) => return 0,
        (Err(Failure::Kernel(error)), _) | (_, Some(error)) => {
            println!(witness.console, "bootstrap: refused by the kernel: {error}");
        }
        (Err(Failure::Run(error)), None) => println!(witness.console, "bootstrap: {error}"),
    }
    2
}

enum Failure {
    Run(RunError),
    Kernel(Error),
}

/// Prints and attests as the result comes.
struct Witness {
    console: Console,
    /// Of everything said so far.
    text: Sha256,
    chain: [u8; 32],
    /// Why a claim was refused, if one was.
    refused: Option<Error>,
}

impl Witness {
    fn work(&mut self) -> Result<(), Failure> {
        let mut table = alloc::vec![0; TABLE_BYTES];
        let mut seed = [0; SEED_BYTES];
        let table = TABLE.read_all(&mut table).map_err(Failure::Kernel)?;
        let seed = SEED.read_all(&mut seed).map_err(Failure::Kernel)?;
        run(table, seed, self).map_err(Failure::Run)?;

        let digest: [u8; 32] = self.text.clone().finalize().into();
        let body = b"bootstrap: SHA-256 of the printed result";
        LOG.claim(RESULT, &digest, body).map_err(Failure::Kernel)?;
        print!(self.console, "attested ");
        for byte in digest {
            print!(self.console, "{byte:02x}");
        }
        println!(self.console);
        Ok(())
    }
}

impl Observer for Witness {
    fn say(&mut self, text: &str) {
        self.text.update(text.as_bytes());
        print!(self.console, "{text}");
        // What is known is said before the long part. A refusal stays one.
        self.refused = self.refused.or(self.console.flush().err());
    }

    fn resampled(&mut self, number: usize, trend: &Trend) -> Result<(), Stopped> {
        let mut body = [0; RESAMPLE_BYTES];
        body[..4].copy_from_slice(&(number as u32).to_le_bytes());
        body[4..12].copy_from_slice(&trend.growth.to_le_bytes());
        body[12..].copy_from_slice(&trend.acceleration.to_le_bytes());
        self.chain = Sha256::new().chain_update(self.chain).chain_update(body).finalize().into();
        LOG.claim(RESAMPLE, &self.chain, &body).map_err(|error| {
            self.refused = Some(error);
            Stopped
        })
    }
}
