#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `writer`: stores one reading with a proof from outside, then a thousand
//! vectors with proofs by the prover, then tries one that has expired.

#[cfg(target_arch = "wasm32")]
mod program {
    use accept::{DIMENSION, KEY, PUTS, READING, SOON_NS, key, kind, reading, sample};
    use sdk::{
        Console, EVER, Error, Handle, MESSAGE_HEAD, Mutation, Proof, Queue, Sensor, SignedProof,
        Timer, VectorStore, println,
    };

    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const INBOX: Queue = Queue::initial(2);
    // Granted by the root.
    const READINGS: VectorStore = VectorStore::initial(3);
    const SAMPLES: VectorStore = VectorStore::initial(4);
    const TO_PROVER: Queue = Queue::initial(5);
    const TO_READER: Queue = Queue::initial(6);
    const SENSOR: Sensor = Sensor::initial(7);

    /// Bytes of a mutation.
    const PUT: usize = Mutation::<0>::put_size(DIMENSION);

    /// Bytes of a mutation with a signed proof.
    const SIGNED: usize = PUT + SignedProof::SIZE;

    sdk::entry!(run, console: CONSOLE);

    fn run() -> i32 {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        match write() {
            Ok(()) => {
                println!(console, "writer: 1 reading and {PUTS} samples stored, 1 too late");
                0
            }
            Err(error) => {
                println!(console, "writer: {error}");
                1
            }
        }
    }

    fn write() -> Result<(), Error> {
        let mut window = [0; MESSAGE_HEAD + 256];
        INBOX.receive(EVER, &mut window)?;
        SENSOR.subscribe(Queue::MAILBOX)?;
        let mut window = [0; MESSAGE_HEAD + READING];
        let message = Queue::MAILBOX.receive(EVER, &mut window)?;
        let vector = reading(message.bytes()).ok_or(Error::BadLength)?;
        store_reading(&vector)?;
        for number in 0..PUTS {
            let (put, proof) = approved(key(number), &sample(number), EVER)?;
            SAMPLES.put(&put, proof)?;
        }
        let expiry = TIMER.now()? + SOON_NS;
        let (put, proof) = approved(1, &sample(0), expiry)?;
        TIMER.wait_until(expiry)?;
        if SAMPLES.put(&put, proof) != Err(Error::ProofExpired) {
            return Err(Error::BadArgument);
        }
        TO_PROVER.send(kind::END, 0, &[])?;
        TO_READER.send(kind::END, 0, &[])
    }

    /// Into the slot that the store suggests, with a proof from outside.
    fn store_reading(vector: &[f32; DIMENSION]) -> Result<(), Error> {
        let mut window = [0; MESSAGE_HEAD + 512];
        let (entry, _) = READINGS.opened(KEY, &mut window)?;
        let put = Mutation::<SIGNED>::put(KEY, entry.head.slot, vector)?;
        TO_PROVER.send(kind::OUTSIDE, 0, put.bytes())?;
        let message = INBOX.receive(EVER, &mut window)?;
        let proof = message.bytes().try_into().ok().and_then(SignedProof::from_bytes);
        READINGS.put_signed(&put.signed(&proof.ok_or(Error::BadLength)?)?)
    }

    /// A put into the slot of the key, and the prover's proof of it.
    fn approved(
        key: u64,
        vector: &[f32; DIMENSION],
        expiry: u64,
    ) -> Result<(Mutation<PUT>, Proof), Error> {
        let mut window = [0; 512];
        let (entry, _) = SAMPLES.opened(key, &mut window)?;
        let put = Mutation::put(key, entry.head.slot, vector)?;
        let mut request = [0; 8 + PUT];
        request[..8].copy_from_slice(&expiry.to_le_bytes());
        request[8..].copy_from_slice(put.bytes());
        TO_PROVER.send(kind::APPROVE, 0, &request)?;
        let message = INBOX.receive(EVER, &mut window)?;
        let handle = message.bytes().try_into().map_err(|_| Error::BadLength)?;
        Ok((put, Proof(Handle(u32::from_le_bytes(handle)))))
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
