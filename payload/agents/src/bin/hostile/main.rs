#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `hostile`: a task with the capabilities of an ordinary writer that tries
//! to get further than they go. It prints what stopped it each time: the
//! stage of the gate, the reason, and which call of which task has the record
//! of it. `helio log show` finds that by task and sequence number.

#[cfg(target_arch = "wasm32")]
mod calls;
#[cfg(target_arch = "wasm32")]
mod capabilities;
#[cfg(target_arch = "wasm32")]
mod deputies;
#[cfg(target_arch = "wasm32")]
mod memory;
#[cfg(target_arch = "wasm32")]
mod objects;
#[cfg(target_arch = "wasm32")]
mod proofs;

#[cfg(target_arch = "wasm32")]
mod program {
    use super::{calls, capabilities, deputies, memory, objects, proofs};
    use agents::client::Client;
    use sdk::{
        Component, Console, Error, GraphStore, Log, Memory, Namespace, Queue, Region, Task, Timer,
        VectorStore, println,
    };

    const CONSOLE: Queue = Queue::initial(0);
    pub(crate) const TIMER: Timer = Timer::initial(1);
    const INBOX: Queue = Queue::initial(2);
    // Granted by the planner.
    pub(crate) const TO_PROVER: Queue = Queue::initial(3);
    pub(crate) const OWN: Task = Task::initial(4);
    pub(crate) const LETTERS: Queue = Queue::initial(5);
    pub(crate) const YEARS: VectorStore = VectorStore::initial(6);
    pub(crate) const SANDBOX: VectorStore = VectorStore::initial(7);
    pub(crate) const VAULT: VectorStore = VectorStore::initial(8);
    pub(crate) const GRAPH: GraphStore = GraphStore::initial(9);
    pub(crate) const LOG: Log = Log::initial(10);
    pub(crate) const ALLOWANCE: Memory = Memory::initial(11);
    pub(crate) const PACKAGES: Namespace = Namespace::initial(12);
    pub(crate) const ITSELF: Component = Component::initial(13);
    pub(crate) const TABLE: Region = Region::initial(14);

    /// One attack.
    pub(crate) struct Attack {
        /// What it tries.
        pub(crate) name: &'static str,
        /// What must stop it.
        pub(crate) expected: Error,
        /// Prepares it, which has to succeed, and tries.
        pub(crate) attempt: fn(&Client) -> Result<Tried, Error>,
    }

    /// What came of a try.
    pub(crate) struct Tried {
        /// Why it was denied, if it was.
        pub(crate) denied: Option<Error>,
        /// The memory service's call, where it tried on behalf of this task;
        /// else it was this task's last one.
        pub(crate) deputy: Option<u32>,
    }

    impl<T> From<Result<T, Error>> for Tried {
        fn from(result: Result<T, Error>) -> Self {
            Self { denied: result.err(), deputy: None }
        }
    }

    sdk::entry!(run, console: CONSOLE);

    /// 0 if everything was denied for the reason it must be denied for.
    fn run() -> i32 {
        let mut console = Console::new(CONSOLE, Some(TIMER));
        let client = match Client::begin(INBOX, INBOX, TO_PROVER, TIMER) {
            Ok(client) => client,
            Err(error) => {
                println!(console, "hostile: {error}");
                return 2;
            }
        };
        println!(console, "{:<46} {:<10} {:<14} call", "attack", "stopped at", "reason");
        let groups = [
            capabilities::ATTACKS,
            proofs::ATTACKS,
            memory::ATTACKS,
            objects::ATTACKS,
            deputies::ATTACKS,
        ];
        let (mut attacks, mut denied) = (0, 0);
        for attack in groups.into_iter().flatten() {
            attacks += 1;
            denied += u32::from(try_it(attack, &client, &mut console));
        }
        println!(console, "{attacks} attacks, {denied} denied");
        i32::from(attacks != denied)
    }

    fn try_it(attack: &Attack, client: &Client, console: &mut Console) -> bool {
        let Attack { name, expected, attempt } = attack;
        let tried = attempt(client);
        let own = calls::made().saturating_sub(1);
        let (denied, deputy) = match tried {
            Ok(Tried { denied, deputy }) => (denied, deputy),
            Err(error) => {
                println!(*console, "{name:<46} not tried: {error}");
                return false;
            }
        };
        let Some(error) = denied else {
            println!(*console, "{name:<46} SUCCEEDED");
            return false;
        };
        let (task, sequence) = deputy.map_or(("hostile", own), |sequence| ("memory", sequence));
        let (stage, reason) = (error.stage().name(), error.name());
        let word = if error == *expected { "" } else { " UNEXPECTED" };
        println!(*console, "{name:<46} {stage:<10} {reason:<14} {task} {sequence}{word}");
        error == *expected
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
