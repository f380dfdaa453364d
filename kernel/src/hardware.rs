//! The machine itself, as the shell shows it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hal::traits::{Cpu, Interrupt, Platform};
use rvsh::view::{Hardware, Line, Module, Work};

use crate::boot::Modules;
use crate::{Kernel, Machine, idle, log, trap};

/// Modules that are for the kernel itself.
const OWN: [&str; 3] = ["package", "trust", "device-key"];

/// What there is to see, `up_ns` after the log was opened.
pub fn look(kernel: &Kernel, up_ns: u64) -> Hardware {
    let mut interrupts = Vec::new();
    kernel.platform.interrupts(&mut |source| {
        let (device, count) = match source.interrupt {
            Interrupt::Timer => ("timer", idle::timer_interrupts()),
            Interrupt::Console => ("console", idle::console_interrupts()),
            Interrupt::Spurious => return,
        };
        let (controller, number) = (source.controller, source.line.0);
        interrupts.push(Line { device, controller, number, count });
    });
    Hardware { interrupts, spurious: trap::spurious(), processor: processor(), work: work(up_ns) }
}

fn processor() -> Vec<(String, String)> {
    type Processor = <Machine as Platform>::Cpu;
    let mut pairs = Vec::new();
    Processor::describe(&mut |name, value| pairs.push((name.into(), value.to_string())));
    let sha256 = Processor::sha256().map_or("software", |(_, name)| name);
    pairs.insert(pairs.len().min(1), ("SHA-256".into(), sha256.into()));
    pairs
}

fn work(up_ns: u64) -> Work {
    let done = log::writer().as_ref().map(|writer| writer.recorder.work()).unwrap_or_default();
    let durable::Work { seals, checkpoints, bytes } = done;
    Work { up_ns, seals, checkpoints, log_bytes: bytes }
}

/// The modules that an operator can mount.
pub fn modules(modules: &Modules) -> Vec<Module> {
    let named = modules.iter().filter_map(|(name, contents)| {
        let name = core::str::from_utf8(name).ok().filter(|name| !OWN.contains(name))?;
        Some(Module { name: name.into(), bytes: contents.len() as u64 })
    });
    named.collect()
}
