//! The examples in docs/SYSCALLS.md compile: those in Rust are here as they
//! are on the page, those in C are given to a compiler, if there is one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

const PAGE: &str = include_str!("../../../docs/SYSCALLS.md");

/// The calls' sections.
fn sections() -> impl Iterator<Item = &'static str> {
    let calls = PAGE.split("\n## ").find(|part| part.starts_with("3. The calls")).unwrap();
    calls.split("\n### ").skip(1)
}

/// The section's example in this language.
fn example(section: &'static str, language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let mut parts = section.split(&fence).skip(1);
    let example = parts.next().and_then(|rest| rest.split_once("```"));
    let (example, _) = example.unwrap_or_else(|| panic!("no {language}: {section}"));
    assert_eq!(parts.next(), None, "one example: {section}");
    example
}

#[test]
fn each_call_has_an_example_in_rust_that_compiles() {
    let here = include_str!("examples.rs");
    assert_eq!(sections().count(), abi::Call::ALL.len());
    for section in sections() {
        let lines = example(section, "rust").lines();
        let indent =
            |line: &str| if line.is_empty() { "\n".into() } else { format!("        {line}\n") };
        let wanted: String = lines.map(indent).collect();
        assert!(here.contains(&wanted), "not in {}:\n{wanted}", file!());
    }
}

/// A prototype from a signature as the page has it.
fn prototype(signature: &str) -> String {
    let (name, rest) = signature.split_once('(').unwrap();
    let (parameters, _) = rest.split_once(')').unwrap();
    let parameter = |it: &str| match it.split_once(": ").unwrap() {
        ("arguments" | "pointer" | "path" | "digest" | "body" | "out", "i32") => "const void *",
        (_, "i32") => "uint32_t",
        _ => "uint64_t",
    };
    let parameters: Vec<_> = parameters.split(", ").map(parameter).collect();
    format!("int64_t {name}({});\n", parameters.join(", "))
}

#[test]
fn each_call_has_an_example_in_c_that_compiles() {
    let beginning = PAGE.split("## 2.").next().unwrap();
    let mut program = String::from(example(beginning, "c"));
    for section in sections() {
        let signature = section.split("```\n").nth(1).unwrap();
        program += &prototype(signature);
    }
    program += "static int64_t child, proof; static uint32_t slot; static uint8_t digest[32];\n";
    for (number, section) in sections().enumerate() {
        program += &format!("void example_{number}(void) {{\n{}}}\n", example(section, "c"));
    }
    let file = std::env::temp_dir().join(format!("heliograph-examples-{}.c", std::process::id()));
    std::fs::write(&file, &program).unwrap();
    let words = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-attributes", "-Wno-unused"];
    let output = Command::new("cc").args(words).arg("-fsyntax-only").arg(&file).output();
    std::fs::remove_file(&file).unwrap();
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => println!("skipped: there is no C compiler called cc: {error}"),
    }
}

/// The page's examples, a function each.
#[rustfmt::skip]
#[allow(dead_code, unused_variables, reason = "they only have to compile")]
mod page {
    use sdk::*;

    fn task_spawn() -> Result<(), Error> {
        const WORKER: Component = Component::initial(0);

        let arguments = SpawnArguments {
            fuel: 1_000_000, deadline: u64::MAX, memory: 65_536,
            priority: 0, is_reactor: false, capabilities: 0, // counted from the list
        };
        let child: Task = WORKER.spawn(arguments, &[Handle::new(3, 0)])?;
        Ok(())
    }

    fn cap_grant(child: Task) -> Result<(), Error> {
        const DATA: Region = Region::initial(2);

        let terms = GrantArguments { badge: 7, uses: 100, ..child.terms(Rights::READ) };
        let theirs: Handle = DATA.grant(&terms)?;
        DATA.revoke()?;  // takes it back
        DATA.give_up()?; // gives up one's own
        child.kill()?;   // revokes the task capability
        Ok(())
    }

    fn region_map() -> Result<(), Error> {
        const DATA: Region = Region::initial(1);
        const MEMORY: Memory = Memory::initial(2);

        let mut bytes = [0; 512];
        let size = DATA.size()?;
        DATA.read(0, &mut bytes)?;
        let log = MEMORY.append_only(4_096)?;
        let at = log.append(b"entry")?;
        let slab = MEMORY.slab(64, 100)?;
        let slot = slab.take(b"some")?;
        slab.write(slot, b"other")?;
        slab.free(slot)?;
        Ok(())
    }

    fn queue_send() -> Result<(), Error> {
        const CONSOLE: Queue = Queue::initial(0);
        const LETTERS: Queue = Queue::initial(2);
        const DATA: Region = Region::initial(4);

        CONSOLE.send(0, 0, b"hello\n")?;
        LETTERS.share(17, 200, DATA, 0, 65_536)?; // type 17, priority 200
        Ok(())
    }

    fn queue_recv() -> Result<(), Error> {
        let mut window = [0; MESSAGE_HEAD + 4_096];
        let message = Queue::MAILBOX.receive(EVER, &mut window)?;
        if let Some(end) = message.exit_report() {
            let (who, outcome) = (end.handle, end.outcome);
        } else if let Content::Shared { region, offset, length } = message.content {
            region.give_up()?;
        }
        Ok(())
    }

    fn timer_wait() -> Result<(), Error> {
        const TIMER: Timer = Timer::initial(1);

        let now = TIMER.now()?;
        TIMER.wait(5_000_000)?; // 5 ms
        TIMER.wait_until(now + 20_000_000)?;
        Ok(())
    }

    fn rvf_mount() -> Result<(), Error> {
        const PACKAGES: Namespace = Namespace::initial(3);
        const FILE: Region = Region::initial(1);

        let first: Handle = PACKAGES.mount(FILE, "tools")?;
        PACKAGES.unmount("tools")?;
        Ok(())
    }

    fn attest_emit() -> Result<(), Error> {
        const LOG: Log = Log::initial(2);
        const STORE: VectorStore = VectorStore::initial(5);

        LOG.claim(1, &sha256(b"result"), b"ok")?;
        let mut window = [0; 1_024];
        let (entry, opening) = STORE.opened(42, &mut window)?;
        let put = Mutation::<24>::put(42, entry.head.slot, &[1.0, -0.5])?;
        let terms = Approval { old_leaf: opening.leaf, expiry: u64::MAX };
        let proof: Proof = STORE.approve(entry.head.slot, &put.digest(), &terms)?;
        Ok(())
    }

    fn vector_get() -> Result<(), Error> {
        const STORE: VectorStore = VectorStore::initial(0);
        const GRAPH: GraphStore = GraphStore::initial(1);

        let mut window = [0; 4_096];
        let (entry, opening) = STORE.opened(42, &mut window)?;
        assert!(opening.holds(entry.head.slot));
        let question = GetNearest { k: 10, is_exact: false, visit: 0 };
        for one in STORE.nearest(&question, &[1.0, 0.0], &mut window)?.iter() {
            let (key, score) = (one.key, one.score);
        }
        let edges = GRAPH.edges(1, 0, &mut window)?;
        Ok(())
    }

    fn vector_put_proved(put: Mutation<24>, proof: Proof, signed: SignedProof) -> Result<(), Error> {
        const STORE: VectorStore = VectorStore::initial(0);

        // With a Proof object, such as the one that `approve` gave or a task handed over:
        STORE.put(&put, proof)?;
        // With a signed one, from wherever it came:
        let put = Mutation::<240>::put(42, 413, &[1.0, -0.5])?;
        STORE.put_signed(&put.signed(&signed)?)?;
        Ok(())
    }

    fn graph_apply_proved(proof: Proof) -> Result<(), Error> {
        const GRAPH: GraphStore = GraphStore::initial(0);

        let edge = GraphMutation {
            operation: Operation::AddEdge.code(), slot: 1_000, from: 1, to: 2, weight: 0.5,
        };
        let edge = Mutation::<{ Mutation::<0>::GRAPH_SIZE }>::graph(&edge)?;
        GRAPH.apply(&edge, proof)?;
        Ok(())
    }

    fn sensor_subscribe() -> Result<(), Error> {
        const THERMOMETER: Sensor = Sensor::initial(1);

        THERMOMETER.subscribe(Queue::MAILBOX)?;
        Ok(())
    }
}
