#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `prover`: makes proofs of what the policy allows, and hands each to the
//! task that is to use it. It can read the stores, and approve, but not write.

#[cfg(target_arch = "wasm32")]
mod program {
    use agents::{
        policy::{Knowledge, allows},
        protocol::{Ask, Granted, Place, Vector, Wish, badge, kind, word},
    };
    use sdk::{
        Approval, Console, EVER, Error, GraphMutation, GraphStore, Handle, MESSAGE_HEAD, Mutation,
        Operation, Proof, Queue, Rights, Task, Timer, VectorStore, println,
    };

    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const INBOX: Queue = Queue::initial(2);
    // Granted by the planner.
    const YEARS: VectorStore = VectorStore::initial(3);
    const SANDBOX: VectorStore = VectorStore::initial(4);
    const GRAPH: GraphStore = GraphStore::initial(5);
    const TO_FEED: Queue = Queue::initial(6);
    const TO_CLAIMS: Queue = Queue::initial(7);
    const TO_HOSTILE: Queue = Queue::initial(8);
    const MEMORY: Task = Task::initial(9);
    const CLAIMS: Task = Task::initial(10);
    const HOSTILE: Task = Task::initial(11);

    /// Room for an entry with its opening.
    const WINDOW: usize = 1024;

    sdk::entry!(run, console: CONSOLE);

    fn run() -> i32 {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        let mut window = [0; MESSAGE_HEAD + 512];
        let mut memory = None;
        let (mut made, mut refused, mut strangers) = (0, 0, 0);
        loop {
            let Ok(message) = INBOX.receive(EVER, &mut window) else { return 2 };
            match (message.kind, message.badge) {
                (kind::INTRODUCE, badge::MEMORY) => {
                    memory = word(message.bytes(), 0).map(|handle| Queue(Handle(handle)));
                }
                (kind::SHUTDOWN, badge::PLANNER) => break,
                (kind::ASK, sender) => {
                    let Some(client) = client(sender) else { continue };
                    let answer = match Ask::from_bytes(message.bytes()) {
                        Some(ask) => answer(sender, &ask, &mut strangers),
                        None => Err(Granted::NOT_ALLOWED),
                    };
                    let granted = answer.unwrap_or_else(|status| {
                        refused += 1;
                        Granted { status, slot: 0, proof: 0 }
                    });
                    made += u32::from(granted.status == 0);
                    // A client that does not take its answers misses this one.
                    let _ = client.send(kind::GRANTED, 0, &granted.to_bytes());
                }
                // Whatever else anybody sends is not for the prover.
                _ => {}
            }
        }
        println!(console, "prover: {made} proofs made, {refused} requests refused");
        let told = memory.map(|memory| memory.send(kind::SHUTDOWN, 0, &[]));
        i32::from(told != Some(Ok(())))
    }

    fn client(badge: u64) -> Option<Queue> {
        Some(match badge {
            badge::FEED => TO_FEED,
            badge::CLAIMS => TO_CLAIMS,
            badge::HOSTILE => TO_HOSTILE,
            _ => return None,
        })
    }

    /// Who is to use a proof that was asked for with this badge.
    fn user(sender: u64, place: Place) -> Task {
        match (sender, place) {
            (_, Place::Years) => MEMORY,
            (badge::HOSTILE, _) => HOSTILE,
            _ => CLAIMS,
        }
    }

    fn answer(sender: u64, ask: &Ask, strangers: &mut u32) -> Result<Granted, u32> {
        if !allows(sender, ask, *strangers, &Stores) {
            return Err(Granted::NOT_ALLOWED);
        }
        *strangers += u32::from(sender == badge::HOSTILE);
        let number = |error: Error| u32::from(error.number());
        let (slot, proof) = prove(ask).map_err(number)?;
        let proof = hand_over(proof, user(sender, ask.place)).map_err(number)?;
        Ok(Granted { status: 0, slot, proof: proof.0 })
    }

    /// Makes the proof, of the slot as it is now.
    fn prove(ask: &Ask) -> Result<(u32, Proof), Error> {
        let mut window = [0; WINDOW];
        let expiry = ask.expiry;
        let (operation, from, to, weight) = match ask.wish {
            Wish::Vector { key, vector } => {
                let store = if ask.place == Place::Years { YEARS } else { SANDBOX };
                let (entry, opening) = store.opened(key, &mut window)?;
                let slot = entry.head.slot;
                let digest = Mutation::<64>::put(key, slot, &vector)?.digest();
                let terms = Approval { old_leaf: opening.leaf, expiry };
                return Ok((slot, store.approve(slot, &digest, &terms)?));
            }
            Wish::Node(key) => (Operation::AddNode, key, 0, 0.0),
            Wish::Edge { from, to, weight } => (Operation::AddEdge, from, to, weight),
        };
        let (head, opening) = match ask.wish {
            Wish::Edge { .. } => GRAPH.edge(from, to, &mut window)?,
            _ => GRAPH.node(from, &mut window)?,
        };
        let slot = head.slot;
        let change = GraphMutation { operation: operation.code(), slot, from, to, weight };
        let digest = Mutation::<32>::graph(&change)?.digest();
        let terms = Approval { old_leaf: opening.leaf, expiry };
        Ok((slot, GRAPH.approve(slot, &digest, &terms)?))
    }

    /// Gives a proof away for good.
    fn hand_over(proof: Proof, to: Task) -> Result<Handle, Error> {
        let handle = proof.grant(&to.terms(Rights::WRITE));
        proof.give_up()?;
        handle
    }

    struct Stores;

    impl Knowledge for Stores {
        fn year(&self, key: u64) -> Option<Vector> {
            let mut window = [0; 128];
            let entry = YEARS.entry(key, &mut window).ok()?;
            let mut vector = [0.0; 12];
            for (room, number) in vector.iter_mut().zip(entry.vector.iter()) {
                *room = number;
            }
            Some(vector)
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
