#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `feed`: replays measurements. It reads the table of a region, makes a
//! vector of each complete year, has it approved and stored, and tells the
//! keeper of claims. Readings of a sensor, should there be any, are counted.

#[cfg(target_arch = "wasm32")]
mod program {
    use agents::{
        client::Client,
        protocol::{Place, Put, Vector, Wish, kind},
        years,
    };
    use sdk::{Console, EVER, Error, MESSAGE_HEAD, Queue, Region, Sensor, State, Timer, println};

    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const INBOX: Queue = Queue::initial(2);
    // Granted by the planner.
    const TO_PROVER: Queue = Queue::initial(3);
    const TO_CLAIMS: Queue = Queue::initial(4);
    const TABLE: Region = Region::initial(5);
    const SENSOR: Sensor = Sensor::initial(6);

    /// Largest table taken, in bytes.
    const TABLE_BYTES: usize = 48 << 10;

    /// Logical time between two years, in ns.
    const YEAR_NS: u64 = 1_000_000;

    static BUFFER: State<[u8; TABLE_BYTES]> = State::new([0; TABLE_BYTES]);

    sdk::entry!(run, console: CONSOLE);

    fn run() -> i32 {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        match BUFFER.with(|buffer| feed(buffer)) {
            Ok((stored, 0, readings)) => {
                println!(console, "feed: {stored} years stored, {readings} readings of the sensor");
                0
            }
            Ok((stored, lost, _)) => {
                println!(console, "feed: {stored} years stored, {lost} not");
                1
            }
            Err(error) => {
                println!(console, "feed: {error}");
                2
            }
        }
    }

    /// Years stored and not stored, and readings of the sensor.
    fn feed(buffer: &mut [u8]) -> Result<(u32, u32, u32), Error> {
        let client = Client::begin(INBOX, INBOX, TO_PROVER, TIMER)?;
        SENSOR.subscribe(Queue::MAILBOX)?;
        let table = TABLE.read_all(buffer)?;
        let table = core::str::from_utf8(table).map_err(|_| Error::BadArgument)?;
        let (mut stored, mut lost) = (0, 0);
        years::for_each(table, |year, vector| match store(&client, year, vector) {
            Ok(()) => stored += 1,
            Err(_) => lost += 1,
        });
        client.send(TO_CLAIMS, kind::SHUTDOWN, &[])?;
        Ok((stored, lost, readings()))
    }

    fn store(client: &Client, key: u64, vector: Vector) -> Result<(), Error> {
        let granted = client.ask(Place::Years, EVER, Wish::Vector { key, vector })?;
        if granted.status != 0 {
            return Err(Error::NotApproved);
        }
        let put = Put { proof: granted.proof, slot: granted.slot, key, vector };
        let done = client.put(&put)?;
        if done.status != 0 {
            return Err(Error::NotApproved);
        }
        client.send(TO_CLAIMS, kind::STORED, &put.to_bytes())?;
        TIMER.wait(YEAR_NS).map(drop)
    }

    /// How many the mailbox has.
    fn readings() -> u32 {
        let mut window = [0; MESSAGE_HEAD + 4096];
        let mut count = 0;
        while Queue::MAILBOX.receive(0, &mut window).is_ok() {
            count += 1;
        }
        count
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
