#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `prover`: passes on signed proofs that come in from outside, and makes
//! proofs of what it approves itself.

#[cfg(target_arch = "wasm32")]
mod program {
    use accept::{DIMENSION, KEYS, kind};
    use sdk::{
        Approval, EVER, Error, MESSAGE_HEAD, Mutation, Queue, Rights, SignedProof, Task,
        VectorStore, sha256,
    };

    const CONSOLE: Queue = Queue::initial(0);
    const INBOX: Queue = Queue::initial(2);
    // Granted by the root.
    const APPROVALS: Queue = Queue::initial(3);
    const SAMPLES: VectorStore = VectorStore::initial(4);
    const TO_WRITER: Queue = Queue::initial(5);
    const WRITER: Task = Task::initial(6);

    /// Bytes of a mutation.
    const PUT: usize = Mutation::<0>::put_size(DIMENSION);

    sdk::entry!(run, console: CONSOLE);

    fn run() -> i32 {
        match serve() {
            Ok(()) => 0,
            Err(error) => i32::from(error.number()),
        }
    }

    fn serve() -> Result<(), Error> {
        let mut window = [0; MESSAGE_HEAD + 256];
        loop {
            let message = INBOX.receive(EVER, &mut window)?;
            match message.kind {
                kind::OUTSIDE => outside(&sha256(message.bytes()))?,
                kind::APPROVE => {
                    let (expiry, put) =
                        message.bytes().split_first_chunk().ok_or(Error::BadLength)?;
                    approve(u64::from_le_bytes(*expiry), &Mutation::copied(put)?)?;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Waits for a signed proof of this mutation. Whether it holds, the gate
    /// finds out; others are not for anybody here.
    fn outside(mutation: &[u8; 32]) -> Result<(), Error> {
        let mut window = [0; MESSAGE_HEAD + SignedProof::SIZE];
        loop {
            let message = APPROVALS.receive(EVER, &mut window)?;
            let proof = message.bytes().try_into().ok().and_then(SignedProof::from_bytes);
            if proof.is_some_and(|it| it.statement.mutation == *mutation) {
                return TO_WRITER.send(kind::PROOF, 0, message.bytes());
            }
        }
    }

    /// Makes a proof, and gives it to the writer for good. The policy: the
    /// keys that there are to be, and numbers that are some.
    fn approve(expiry: u64, put: &Mutation<PUT>) -> Result<(), Error> {
        let (key, vector) = put.bytes().split_first_chunk().ok_or(Error::BadLength)?;
        let key = u64::from_le_bytes(*key);
        let vector = vector.get(8..).unwrap_or_default().as_chunks().0;
        let is_finite = vector.iter().all(|it| f32::from_le_bytes(*it).is_finite());
        if key == 0 || key > u64::from(KEYS) || !is_finite {
            return Err(Error::NotApproved);
        }
        let mut window = [0; 512];
        let (entry, opening) = SAMPLES.opened(key, &mut window)?;
        let terms = Approval { old_leaf: opening.leaf, expiry };
        let proof = SAMPLES.approve(entry.head.slot, &put.digest(), &terms)?;
        let handle = proof.grant(&WRITER.terms(Rights::WRITE))?;
        proof.give_up()?;
        TO_WRITER.send(kind::PROOF, 0, &handle.0.to_le_bytes())
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
