#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `regress`: fits Longley's data, prints the result, attests its digest.
//!
//! In a package it is a command with these capabilities, in this order: the
//! console, a timer, the region with the table, the log. On a host it reads
//! the table from the file named as its argument and prints the same text,
//! for comparison.

#[cfg(target_arch = "wasm32")]
mod program {
    use regress::{fit::fit, report::report};
    use sdk::{Console, Log, Queue, Region, Timer, print, println};
    use sha2::{Digest, Sha256};

    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const TABLE: Region = Region::initial(2);
    const LOG: Log = Log::initial(3);

    /// Type of the claim "this is the SHA-256 of my result".
    const RESULT: u32 = 1;

    /// Largest table taken, in bytes.
    const TABLE_BYTES: usize = 16 << 10;

    #[global_allocator]
    static HEAP: sdk::Heap<{ 128 << 10 }> = sdk::Heap::new();

    sdk::entry!(run, console: CONSOLE);

    /// 0 for an accurate and attested result, 1 for an inaccurate one, 2 where
    /// there is none.
    fn run() -> i32 {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        let mut buffer = [0; TABLE_BYTES];
        let table = match TABLE.read_all(&mut buffer) {
            Ok(table) => table,
            Err(error) => {
                println!(console, "regress: cannot read the table: {error}");
                return 2;
            }
        };
        let fit = match fit(table) {
            Ok(fit) => fit,
            Err(error) => {
                println!(console, "regress: {error}");
                return 2;
            }
        };
        let Ok(report) = report(&fit) else { return 2 };
        print!(console, "{}", report.text);

        let digest: [u8; 32] = Sha256::digest(report.text.as_bytes()).into();
        if let Err(error) = LOG.claim(RESULT, &digest, b"regress: SHA-256 of the printed result") {
            println!(console, "regress: cannot attest the result: {error}");
            return 2;
        }
        print!(console, "attested ");
        for byte in digest {
            print!(console, "{byte:02x}");
        }
        println!(console);
        i32::from(!report.is_accurate())
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> Result<(), Box<dyn core::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: regress TABLE.csv")?;
    let report = regress::report::report(&regress::fit::fit(&std::fs::read(path)?)?)?;
    print!("{}", report.text);
    if report.is_accurate() { Ok(()) } else { Err("the result is not accurate".into()) }
}
