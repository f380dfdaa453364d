#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `planner`: the first task. It holds everything that the package has, and
//! starts the others with what each needs and no more. Then it waits until
//! the workers are done, dismisses the services, and says what came of it.
//!
//! A capability that is passed on at a spawn keeps its rights but the one to
//! pass it on. Whatever should be less than that is granted afterwards, in the
//! order that the receiver's source lists; the message "go" comes last.

#[cfg(target_arch = "wasm32")]
mod program {
    use agents::protocol::{badge, kind};
    use sdk::{
        Component, Console, EVER, Error, GrantArguments, GraphStore, Handle, Log, Memory,
        Namespace, Queue, Region, Rights, Sensor, SpawnArguments, Task, Timer, VectorStore,
        println,
    };

    // As the manifest lists them.
    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const PROVER: Component = Component::initial(2);
    const MEMORY: Component = Component::initial(3);
    const CLAIMS: Component = Component::initial(4);
    const FEED: Component = Component::initial(5);
    const HOSTILE: Component = Component::initial(6);
    const PROVER_IN: Queue = Queue::initial(7);
    const MEMORY_IN: Queue = Queue::initial(8);
    const CLAIMS_IN: Queue = Queue::initial(9);
    const CLAIMS_ANSWERS: Queue = Queue::initial(10);
    const FEED_IN: Queue = Queue::initial(11);
    const HOSTILE_IN: Queue = Queue::initial(12);
    const LETTERS: Queue = Queue::initial(13);
    const YEARS: VectorStore = VectorStore::initial(14);
    const SANDBOX: VectorStore = VectorStore::initial(15);
    const VAULT: VectorStore = VectorStore::initial(16);
    const GRAPH: GraphStore = GraphStore::initial(17);
    const TABLE: Region = Region::initial(18);
    const SENSOR: Sensor = Sensor::initial(19);
    const LOG: Log = Log::initial(20);
    const ALLOWANCE: Memory = Memory::initial(21);
    const PACKAGES: Namespace = Namespace::initial(22);

    const READ: Rights = Rights::READ;
    const WRITE: Rights = Rights::WRITE;
    const GRANT: Rights = Rights::GRANT;

    sdk::entry!(run, console: CONSOLE);

    fn run() -> i32 {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        match plan(&mut console) {
            Ok(code) => code,
            Err(error) => {
                println!(console, "planner: {error}");
                2
            }
        }
    }

    /// The exit code: 0 if every worker's was.
    fn plan(console: &mut Console) -> Result<i32, Error> {
        let prover = start(PROVER, PROVER_IN)?;
        let memory = start(MEMORY, MEMORY_IN)?;
        let claims = start(CLAIMS, CLAIMS_IN)?;
        let feed = start(FEED, FEED_IN)?;
        let hostile = start(HOSTILE, HOSTILE_IN)?;

        // The prover answers, and hands its proofs to those who will write.
        YEARS.grant(&prover.terms(READ | Rights::PROVE))?;
        SANDBOX.grant(&prover.terms(READ | Rights::PROVE))?;
        GRAPH.grant(&prover.terms(READ | Rights::PROVE))?;
        FEED_IN.grant(&prover.terms(WRITE))?;
        CLAIMS_ANSWERS.grant(&prover.terms(WRITE))?;
        HOSTILE_IN.grant(&prover.terms(WRITE))?;
        memory.grant(&prover.terms(WRITE))?;
        claims.grant(&prover.terms(WRITE))?;
        hostile.grant(&prover.terms(WRITE))?;

        // The memory service makes its mailbox known to its clients.
        YEARS.grant(&memory.terms(READ | WRITE))?;
        FEED_IN.grant(&memory.terms(WRITE))?;
        CLAIMS_ANSWERS.grant(&memory.terms(WRITE))?;
        HOSTILE_IN.grant(&memory.terms(WRITE))?;
        PROVER_IN.grant(&named(memory, badge::MEMORY))?;
        feed.grant(&memory.terms(WRITE))?;
        claims.grant(&memory.terms(WRITE))?;
        hostile.grant(&memory.terms(WRITE))?;
        prover.grant(&memory.terms(WRITE))?;

        CLAIMS_ANSWERS.grant(&claims.terms(READ))?;
        PROVER_IN.grant(&named(claims, badge::CLAIMS))?;
        GRAPH.grant(&claims.terms(READ | WRITE))?;

        PROVER_IN.grant(&named(feed, badge::FEED))?;
        CLAIMS_IN.grant(&named(feed, badge::FEED))?;
        TABLE.grant(&feed.terms(READ))?;
        SENSOR.grant(&feed.terms(READ))?;

        // Nobody knows yet that it is hostile: it gets what a writer gets, and
        // its own task, so that it can grant to itself.
        PROVER_IN.grant(&named(hostile, badge::HOSTILE))?;
        hostile.grant(&hostile.terms(WRITE))?;
        LETTERS.grant(&hostile.terms(WRITE | GRANT | Rights::REVOKE))?;
        YEARS.grant(&hostile.terms(READ | WRITE))?;
        SANDBOX.grant(&hostile.terms(READ | WRITE))?;
        VAULT.grant(&hostile.terms(READ | WRITE))?;
        GRAPH.grant(&hostile.terms(WRITE))?;
        LOG.grant(&hostile.terms(WRITE))?;
        ALLOWANCE.grant(&hostile.terms(WRITE))?;
        PACKAGES.grant(&hostile.terms(Rights::MOUNT))?;
        HOSTILE.grant(&hostile.terms(Rights::EXECUTE))?;
        TABLE.grant(&hostile.terms(READ))?;

        for inbox in [MEMORY_IN, CLAIMS_IN, FEED_IN, HOSTILE_IN] {
            inbox.send(kind::GO, 0, &[])?;
        }
        let workers = [("feed", feed), ("claims", claims), ("hostile", hostile)];
        let good = wait_for(&workers, console)?;
        // The prover tells the memory service, whose mailbox it knows.
        PROVER_IN.send(kind::SHUTDOWN, 0, &[])?;
        let good = wait_for(&[("prover", prover)], console)? && good;
        println!(*console, "planner: all tasks have ended");
        Ok(i32::from(!good))
    }

    /// Starts a component with console, timer and its inbox.
    fn start(component: Component, inbox: Queue) -> Result<Task, Error> {
        let arguments = SpawnArguments {
            fuel: 1_000_000_000,
            memory: 512 << 10,
            priority: 0,
            deadline: u64::MAX,
            capabilities: 0,
            is_reactor: component == MEMORY,
        };
        component.spawn(arguments, &[CONSOLE.0, TIMER.0, inbox.0])
    }

    fn named(task: Task, badge: u64) -> GrantArguments {
        GrantArguments { badge, ..task.terms(WRITE) }
    }

    /// Waits until these have ended, whatever else ends; whether all did with
    /// code 0.
    fn wait_for(tasks: &[(&str, Task)], console: &mut Console) -> Result<bool, Error> {
        let mut window = [0; 64];
        let (mut ended, mut good) = (0, true);
        while ended < tasks.len() {
            let message = Queue::MAILBOX.receive(EVER, &mut window)?;
            let Some(report) = message.exit_report() else { continue };
            let is_it = |(_, task): &&(&str, Task)| task.0 == Handle(report.handle.0);
            let Some((name, _)) = tasks.iter().find(is_it) else {
                println!(*console, "planner: task {} ended", report.subject);
                good = false;
                continue;
            };
            ended += 1;
            let is_good = report.outcome == 0 && report.code == 0;
            let word = if is_good { "is done" } else { "failed" };
            println!(*console, "planner: {name} (task {}) {word}", report.subject);
            good &= is_good;
        }
        Ok(good)
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
