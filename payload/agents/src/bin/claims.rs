#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `claims`: keeps a graph of which years are alike. For each year that is
//! stored it asks the memory service for the nearest, and claims an edge to
//! each with their likeness as weight; the prover lets pass what is true.

#[cfg(target_arch = "wasm32")]
mod program {
    use agents::{
        client::{Client, WINDOW},
        protocol::{Granted, Place, Put, Wish, kind},
    };
    use sdk::{
        Console, EVER, Error, GraphMutation, GraphStore, Handle, MESSAGE_HEAD, Mutation, Operation,
        Proof, Queue, Timer, println,
    };

    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const INBOX: Queue = Queue::initial(2);
    // Granted by the planner.
    const ANSWERS: Queue = Queue::initial(3);
    const TO_PROVER: Queue = Queue::initial(4);
    const GRAPH: GraphStore = GraphStore::initial(5);

    sdk::entry!(run, console: CONSOLE);

    #[derive(Default)]
    struct Tally {
        nodes: u32,
        edges: u32,
        failed: u32,
        /// The most alike: from, to, likeness.
        best: Option<(u64, u64, f32)>,
    }

    fn run() -> i32 {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        let tally = match keep() {
            Ok(tally) => tally,
            Err(error) => {
                println!(console, "claims: {error}");
                return 2;
            }
        };
        let Tally { nodes, edges, failed, best } = tally;
        println!(console, "claims: {nodes} nodes, {edges} edges, {failed} refused");
        if let Some((from, to, likeness)) = best {
            println!(console, "claims: most alike are {from} and {to}, {likeness:.4}");
        }
        i32::from(failed > 0 || best.is_none())
    }

    fn keep() -> Result<Tally, Error> {
        let client = Client::begin(INBOX, ANSWERS, TO_PROVER, TIMER)?;
        let mut tally = Tally::default();
        let mut window = [0; MESSAGE_HEAD + 512];
        loop {
            let message = INBOX.receive(EVER, &mut window)?;
            match message.kind {
                kind::SHUTDOWN => return Ok(tally),
                kind::STORED => {
                    let Some(put) = Put::from_bytes(message.bytes()) else { continue };
                    if claim(&client, &put, &mut tally).is_err() {
                        tally.failed += 1;
                    }
                }
                _ => {}
            }
        }
    }

    /// A node for the year, and edges to those like it.
    fn claim(client: &Client, put: &Put, tally: &mut Tally) -> Result<(), Error> {
        let granted = client.ask(Place::Graph, EVER, Wish::Node(put.key))?;
        apply(&granted, Operation::AddNode, put.key, 0, 0.0)?;
        tally.nodes += 1;
        let mut found = [0; WINDOW];
        for neighbour in client.nearest(&put.vector, &mut found)?.iter() {
            let (from, to, weight) = (put.key, neighbour.key, neighbour.score);
            // Years after it, which may be in memory by now, have no node yet;
            // they will claim an edge to this one themselves.
            if to >= from {
                continue;
            }
            let granted = client.ask(Place::Graph, EVER, Wish::Edge { from, to, weight })?;
            // The hostile task's vector is not a year's, and has no node.
            if granted.status == Granted::NOT_ALLOWED || to == 0 {
                continue;
            }
            apply(&granted, Operation::AddEdge, from, to, weight)?;
            tally.edges += 1;
            if tally.best.is_none_or(|(.., best)| weight > best) {
                tally.best = Some((from, to, weight));
            }
        }
        Ok(())
    }

    fn apply(
        granted: &Granted,
        operation: Operation,
        from: u64,
        to: u64,
        weight: f32,
    ) -> Result<(), Error> {
        if granted.status != 0 {
            return Err(Error::NotApproved);
        }
        let slot = granted.slot;
        let change = GraphMutation { operation: operation.code(), slot, from, to, weight };
        GRAPH.apply(&Mutation::<32>::graph(&change)?, Proof(Handle(granted.proof)))
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
