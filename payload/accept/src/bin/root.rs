#![cfg_attr(target_arch = "wasm32", no_std, no_main)]
//! `root`: starts the others, and ends when they have.

#[cfg(target_arch = "wasm32")]
mod program {
    use accept::kind;
    use sdk::{
        Component, Console, EVER, Error, Queue, Rights, Sensor, SpawnArguments, Task, Timer,
        VectorStore, println,
    };

    // As the manifest lists them.
    const CONSOLE: Queue = Queue::initial(0);
    const TIMER: Timer = Timer::initial(1);
    const PROVER: Component = Component::initial(2);
    const WRITER: Component = Component::initial(3);
    const READER: Component = Component::initial(4);
    const TO_PROVER: Queue = Queue::initial(5);
    const TO_WRITER: Queue = Queue::initial(6);
    const TO_READER: Queue = Queue::initial(7);
    const APPROVALS: Queue = Queue::initial(8);
    const READINGS: VectorStore = VectorStore::initial(9);
    const SAMPLES: VectorStore = VectorStore::initial(10);
    const SENSOR: Sensor = Sensor::initial(11);

    const READ: Rights = Rights::READ;
    const WRITE: Rights = Rights::WRITE;

    sdk::entry!(run, console: CONSOLE);

    fn run() -> i32 {
        match begin() {
            Ok(code) => code,
            Err(error) => {
                let mut console = Console::new(CONSOLE, Some(TIMER));
                println!(console, "root: {error}");
                2
            }
        }
    }

    /// The exit code: 0 if all others' was.
    fn begin() -> Result<i32, Error> {
        let prover = start(PROVER, TO_PROVER)?;
        let writer = start(WRITER, TO_WRITER)?;
        let reader = start(READER, TO_READER)?;

        APPROVALS.grant(&prover.terms(READ))?;
        SAMPLES.grant(&prover.terms(READ | Rights::PROVE))?;
        TO_WRITER.grant(&prover.terms(WRITE))?;
        writer.grant(&prover.terms(WRITE))?;

        READINGS.grant(&writer.terms(READ | WRITE))?;
        SAMPLES.grant(&writer.terms(READ | WRITE))?;
        TO_PROVER.grant(&writer.terms(WRITE))?;
        TO_READER.grant(&writer.terms(WRITE))?;
        SENSOR.grant(&writer.terms(READ))?;

        READINGS.grant(&reader.terms(READ))?;
        SAMPLES.grant(&reader.terms(READ))?;

        TO_WRITER.send(kind::GO, 0, &[])?;
        let mut window = [0; 64];
        let mut good = true;
        for _ in 0..3 {
            let message = Queue::MAILBOX.receive(EVER, &mut window)?;
            let report = message.exit_report();
            good &= report.is_some_and(|it| it.outcome == 0 && it.code == 0);
        }
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
            is_reactor: false,
        };
        component.spawn(arguments, &[CONSOLE.0, TIMER.0, inbox.0])
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
