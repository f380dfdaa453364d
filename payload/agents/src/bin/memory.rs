#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `memory`: a service that keeps vectors and finds the nearest. It writes
//! what clients ask for with a proof that the prover has handed over; whether
//! that proof is of what the client asks, it leaves to the gate.
//!
//! A reactor: it runs for each message in its mailbox, which nobody can send
//! to before it has said where that is.

#[cfg(target_arch = "wasm32")]
mod program {
    use agents::protocol::{Done, Put, badge, kind, vector_from_bytes};
    use sdk::{
        Console, EVER, Error, GetNearest, GrantArguments, Handle, MESSAGE_HEAD, Mutation, Proof,
        Queue, Rights, State, Task, Timer, VectorStore, calls_made, println,
    };

    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const INBOX: Queue = Queue::initial(2);
    // Granted by the planner.
    const YEARS: VectorStore = VectorStore::initial(3);
    const TO_FEED: Queue = Queue::initial(4);
    const TO_CLAIMS: Queue = Queue::initial(5);
    const TO_HOSTILE: Queue = Queue::initial(6);
    const TO_PROVER: Queue = Queue::initial(7);
    const FEED: Task = Task::initial(8);
    const CLAIMS: Task = Task::initial(9);
    const HOSTILE: Task = Task::initial(10);
    const PROVER: Task = Task::initial(11);

    /// Neighbours that are looked for.
    const NEIGHBOURS: u32 = 4;

    struct Books {
        stored: u32,
        refused: u32,
        searches: u32,
    }

    static BOOKS: State<Books> = State::new(Books { stored: 0, refused: 0, searches: 0 });

    sdk::reactor!(serve, initialize: initialize, console: CONSOLE);

    fn initialize() {
        let mut window = [0; MESSAGE_HEAD];
        // The planner's word that the grants are there.
        let introduced = INBOX.receive(EVER, &mut window).and_then(|_| {
            introduce(FEED, badge::FEED, TO_FEED)?;
            introduce(CLAIMS, badge::CLAIMS, TO_CLAIMS)?;
            introduce(HOSTILE, badge::HOSTILE, TO_HOSTILE)?;
            introduce(PROVER, badge::PROVER, TO_PROVER)
        });
        if let Err(error) = introduced {
            let mut console = Console::new(CONSOLE, Some(TIMER));
            println!(console, "memory: cannot begin: {error}");
        }
    }

    /// Gives a client the mailbox, and tells it the handle.
    fn introduce(client: Task, badge: u64, queue: Queue) -> Result<(), Error> {
        let terms = GrantArguments { badge, ..client.terms(Rights::WRITE) };
        let Handle(handle) = Queue::MAILBOX.grant(&terms)?;
        queue.send(kind::INTRODUCE, 0, &handle.to_le_bytes())
    }

    fn serve() -> i32 {
        let mut window = [0; MESSAGE_HEAD + 512];
        let Ok(message) = Queue::MAILBOX.receive(0, &mut window) else { return 0 };
        let client = match message.badge {
            badge::FEED => TO_FEED,
            badge::CLAIMS => TO_CLAIMS,
            badge::HOSTILE => TO_HOSTILE,
            badge::PROVER if message.kind == kind::SHUTDOWN => {
                close();
                return 0;
            }
            _ => return 0,
        };
        // A client that does not take its answers misses them.
        match message.kind {
            kind::PUT => {
                let Some(put) = Put::from_bytes(message.bytes()) else { return 0 };
                let _ = client.send(kind::DONE, 0, &store(&put).to_bytes());
            }
            kind::NEAREST => {
                let mut found = [0; 16 * NEIGHBOURS as usize];
                let length = search(message.bytes(), &mut found);
                let _ = client.send(kind::NEIGHBOURS, 0, found.get(..length).unwrap_or_default());
            }
            _ => {}
        }
        0
    }

    fn store(put: &Put) -> Done {
        let mutation = Mutation::<64>::put(put.key, put.slot, &put.vector);
        let result = mutation.and_then(|it| YEARS.put(&it, Proof(Handle(put.proof))));
        // A proof that was not of this is left: it is somebody's.
        let sequence = calls_made().saturating_sub(1);
        BOOKS.with(|books| match result {
            Ok(()) => books.stored += 1,
            Err(_) => books.refused += 1,
        });
        Done { status: result.err().map_or(0, |error| u32::from(error.number())), sequence }
    }

    /// Bytes of the answer; none where the question is none.
    fn search(question: &[u8], found: &mut [u8]) -> usize {
        BOOKS.with(|books| books.searches += 1);
        let Some(query) = vector_from_bytes(question) else { return 0 };
        let terms = GetNearest { k: NEIGHBOURS, is_exact: false, visit: 0 };
        YEARS.nearest(&terms, &query, found).map_or(0, |neighbours| 16 * neighbours.len())
    }

    fn close() {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        BOOKS.with(|Books { stored, refused, searches }| {
            println!(
                console,
                "memory: {stored} vectors stored, {refused} puts refused, {searches} searches"
            );
        });
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
