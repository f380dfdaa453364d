#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `reader`: says what the stores hold when the writer is done.

#[cfg(target_arch = "wasm32")]
mod program {
    use accept::{DIMENSION, KEY, KEYS, PUTS, key, sample};
    use sdk::{Console, EVER, Error, MESSAGE_HEAD, Queue, Timer, VectorStore, print, println};

    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const INBOX: Queue = Queue::initial(2);
    // Granted by the root.
    const READINGS: VectorStore = VectorStore::initial(3);
    const SAMPLES: VectorStore = VectorStore::initial(4);

    sdk::entry!(run, console: CONSOLE);

    fn run() -> i32 {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        match read(&mut console) {
            Ok(good) => i32::from(!good),
            Err(error) => {
                println!(console, "reader: {error}");
                2
            }
        }
    }

    /// Whether every sample is the last one written under its key.
    fn read(console: &mut Console) -> Result<bool, Error> {
        let mut window = [0; MESSAGE_HEAD + 512];
        INBOX.receive(EVER, &mut window)?;
        let (entry, opening) = READINGS.opened(KEY, &mut window)?;
        let head = entry.head;
        print!(*console, "reader: reading");
        for number in entry.vector.iter() {
            print!(*console, " {number}");
        }
        println!(
            *console,
            ", slot {}, {} write, by record {} of task {}",
            head.slot,
            head.writes,
            head.sequence,
            head.subject
        );
        let holds = opening.holds(head.slot);
        println!(*console, "reader: its opening {}", word(holds));
        let mut good = 0;
        for number in PUTS - KEYS..PUTS {
            let entry = SAMPLES.entry(key(number), &mut window)?;
            let is_last = entry.vector.iter().eq(sample(number)) && entry.vector.len() == DIMENSION;
            good += u32::from(is_last && entry.head.writes == PUTS / KEYS);
        }
        println!(*console, "reader: {good} samples as written last, {} times each", PUTS / KEYS);
        Ok(good == KEYS && holds)
    }

    fn word(holds: bool) -> &'static str {
        if holds { "holds" } else { "does not hold" }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
