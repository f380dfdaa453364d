//! Breaking things on purpose, to see that they break as they should.
//!
//! `test=NAME` on the command line picks one. Those that end in a fault check
//! the trap report and the exit status; the others say what they found and
//! end with success, or panic.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;

use conformance::outcome::{Outcome, Verdict};
use conformance::{Listener, Tally};
use hal::traits::{BlockDevice, BlockError, Cpu, ExitStatus, Platform, SECTOR_SIZE};
use package::Package;
use witness::hex;
use witness::sha256::Hasher;

use crate::console::say;
use crate::idle::{self, Wake};
use crate::settings::Settings;
use crate::trap;
use crate::{Kernel, Machine};

type Processor = <Machine as Platform>::Cpu;

/// Runs the test with this name; does not come back if there is one.
pub fn run(kernel: &mut Kernel, name: &str) {
    let test: fn(&mut Kernel) = match name {
        "write-code" => write_code,
        "jump-data" => jump_data,
        "stack-overflow" => |_| say(format_args!("sum {}", overflow(1))),
        "null" => null,
        "panic" => |_| panic!("the command line asked for it"),
        "reboot" => |kernel| kernel.platform.power().reboot(),
        "irq" => timer_interrupts,
        "input" => input,
        "float" => float,
        "heap" => heap,
        "disk" => disk,
        "sha256" => sha256,
        "conformance" => conformance,
        _ => {
            say(format_args!("there is no test {}", name.escape_default()));
            kernel.platform.power().off(ExitStatus::TaskFailed)
        }
    };
    say(format_args!("test {name} begins"));
    test(kernel);
    say(format_args!("test {name} passed"));
    kernel.platform.power().off(ExitStatus::Success)
}

/// Writes to the kernel's code. Comes back only if W^X does not hold.
fn write_code(_: &mut Kernel) {
    let code = write_code as *const () as *mut u8;
    // SAFETY: deliberately not: the page is not writable, and the fault is
    // what is tested. Should the write succeed, the panic is all that runs.
    unsafe { code.write_volatile(0) };
    panic!("code can be written");
}

/// Instructions in writable memory; never reached.
static mut DATA: [u8; 16] = [0; 16];

/// Jumps into data. Comes back only if NX does not hold.
fn jump_data(_: &mut Kernel) {
    let data = &raw mut DATA;
    // SAFETY: deliberately not: the page is not executable, and the fault is
    // what is tested. A function pointer has the size of the address.
    let entry = unsafe { core::mem::transmute::<*mut [u8; 16], extern "C" fn()>(data) };
    black_box(entry)();
    panic!("data can be executed");
}

/// Reads page zero. Comes back only if it is mapped.
fn null(_: &mut Kernel) {
    let zero = black_box(8usize) as *const u64;
    // SAFETY: deliberately not: nothing is mapped there, and the fault is
    // what is tested. The read is volatile and of no object.
    let value = unsafe { zero.read_volatile() };
    panic!("page zero holds {value:#x}");
}

/// Calls itself until the stack ends.
#[inline(never)]
fn overflow(depth: u64) -> u64 {
    let ballast = black_box([depth; 64]);
    if depth == 0 {
        return 0;
    }
    overflow(black_box(depth + 1)).wrapping_add(ballast[(depth % 64) as usize])
}

/// The timer wakes a sleeping processor, each time, and not too early.
fn timer_interrupts(kernel: &mut Kernel) {
    const STEP_NS: u64 = 20_000_000;
    let before = idle::timer_interrupts();
    for _ in 0..10 {
        let start = kernel.platform.timer().now_ns();
        while idle::wait(kernel, start + STEP_NS) != Wake::Time {}
        let slept = kernel.platform.timer().now_ns() - start;
        assert!(slept >= STEP_NS, "woken after {slept} ns");
    }
    let count = idle::timer_interrupts() - before;
    assert!((1..=10).contains(&count), "{count} interrupts for 10 sleeps");
    say(format_args!("{count} timer interrupts for 10 sleeps, {} stray", trap::spurious()));
}

/// Says back a line that is typed, having slept until it was.
fn input(kernel: &mut Kernel) {
    const PATIENCE_NS: u64 = 30_000_000_000;
    let mut line = [0u8; 64];
    let (mut length, mut wakes) = (0, 0u32);
    let deadline = kernel.platform.timer().now_ns() + PATIENCE_NS;
    say(format_args!("type a line"));
    while length < line.len() {
        assert!(idle::wait(kernel, deadline) == Wake::Console, "nothing was typed");
        wakes += 1;
        while let Some(byte) = kernel.platform.console().read() {
            if byte == b'\r' || byte == b'\n' {
                let line = line[..length].escape_ascii();
                return say(format_args!("typed \"{line}\", woken {wakes} times"));
            }
            if let Some(place) = line.get_mut(length) {
                *place = byte;
                length += 1;
            }
        }
    }
    panic!("the line is too long");
}

/// Floating point registers survive interrupts: a long sum comes out the same
/// while the timer fires as it does without.
fn float(kernel: &mut Kernel) {
    Processor::assert_float_state();
    let enabled = Processor::disable_interrupts();
    let quiet = sums();
    if enabled {
        Processor::enable_interrupts();
    }
    let before = idle::timer_interrupts();
    for round in 0..50 {
        let timer = kernel.platform.timer();
        timer.arm(timer.now_ns() + 50_000 + round * 7_000);
        let disturbed = sums();
        assert!(quiet == disturbed, "{quiet:x?} became {disturbed:x?}");
    }
    let count = idle::timer_interrupts() - before;
    assert!(count > 0, "no interrupt came in between");
    Processor::assert_float_state();
    say(format_args!("50 sums agree over {count} interrupts"));
}

/// Sums that keep eight registers busy, as bits.
fn sums() -> [u64; 8] {
    let mut sums = [0.0f64; 8];
    for step in 1..20_000u32 {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += 1.0 / (f64::from(step) + lane as f64);
        }
    }
    black_box(sums).map(f64::to_bits)
}

/// The heap gives what it says it has, and takes it back.
fn heap(_: &mut Kernel) {
    let (used, free) = crate::heap::usage();
    let large = free / 4;
    for round in 0..3u8 {
        let mut blocks: Vec<Vec<u8>> = (0..3).map(|_| vec![round; large]).collect();
        let small: Vec<Box<u64>> = (0..10_000).map(Box::new).collect();
        blocks.swap(0, 2);
        assert!(blocks.iter().all(|block| block[0] == round && block[large - 1] == round));
        assert!(small.iter().zip(0..).all(|(small, number)| **small == number));
    }
    assert!(crate::heap::usage() == (used, free), "something was not given back");
    say(format_args!("3 times {} MiB and 10000 small blocks", (large * 3) >> 20));
}

/// What is written to the log disk is read back, across requests of all
/// sizes. Destroys what is on it.
fn disk(kernel: &mut Kernel) {
    let Some(mut disk) = kernel.log_disk.take() else { panic!("there is no log disk") };
    let pattern: Vec<u8> =
        (0..256u32 << 10).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let start = kernel.platform.timer().now_ns();
    let (mut sector, mut rest, mut size) = (1, &pattern[..], SECTOR_SIZE);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(size.min(rest.len()));
        assert!(disk.write(sector, now) == Ok(()), "write of sector {sector}");
        (sector, rest) = (sector + (now.len() / SECTOR_SIZE) as u64, later);
        size = size * 3 / 2 / SECTOR_SIZE * SECTOR_SIZE + SECTOR_SIZE;
    }
    assert!(disk.flush() == Ok(()), "flush");
    let mut back = vec![0; pattern.len()];
    assert!(disk.read(1, &mut back) == Ok(()), "read");
    assert!(back == pattern, "other bytes came back");
    assert!(disk.write(disk.sectors(), &back[..SECTOR_SIZE]) == Err(BlockError::OutOfRange));
    let micros = (kernel.platform.timer().now_ns() - start) / 1000;
    let flush = if disk.can_flush() { "flushed" } else { "no flush" };
    say(format_args!("256 KiB written, {flush} and read back in {micros} us"));
}

/// The processor's SHA-256 and the software's agree, on messages of every
/// length up to three blocks and a long one.
fn sha256(kernel: &mut Kernel) {
    let software = Hasher(witness::sha256::software);
    let bytes: Vec<u8> = (0..1u32 << 20).map(|at| (at.wrapping_mul(40_503) >> 7) as u8).collect();
    for length in 0..200 {
        let message = &bytes[..length];
        assert!(kernel.hasher.hash(message) == software.hash(message), "{length} bytes");
    }
    let mut times = [0; 2];
    let mut digests = [[0; 32]; 2];
    for (at, hasher) in [kernel.hasher, software].iter().enumerate() {
        let start = kernel.platform.timer().now_ns();
        digests[at] = hasher.hash(&bytes);
        times[at] = (kernel.platform.timer().now_ns() - start) / 1000;
    }
    assert!(digests[0] == digests[1], "a MiB comes out differently");
    say(format_args!("a MiB in {} us, by software {} us", times[0], times[1]));
}

/// Runs the Wasm tests that are the package's first region, and says how each
/// file of them ended and what they come to. Failures are for who compares.
fn conformance(kernel: &mut Kernel) {
    let settings = match Settings::read(kernel, kernel.hasher) {
        Ok(settings) => settings,
        Err(unfit) => panic!("there is nothing to run: {unfit}"),
    };
    let package = match Package::open(settings.package, &settings.trust, kernel.hasher) {
        Ok(package) => package,
        Err(error) => panic!("package refused: {error}"),
    };
    let Some(list) = package.regions().first() else { panic!("the package has no region") };
    let start = kernel.platform.timer().now_ns();
    let summary = match conformance::run(list.bytes, kernel.hasher, &mut Tell) {
        Ok(summary) => summary,
        Err(bad) => panic!("the package's first region: {bad}"),
    };
    let millis = (kernel.platform.timer().now_ns() - start) / 1_000_000;
    say(format_args!("Wasm tests took {millis} ms"));
    let (tally, digest) = (Tallied(summary.tally), hex::encode(&summary.digest));
    say(format_args!("Wasm tests {tally}, digest {digest}"));
}

/// Says what fails, and how each file ended.
struct Tell;

impl Listener for Tell {
    fn directive(&mut self, file: &str, number: u32, outcome: &Outcome, verdict: Verdict) {
        if verdict == Verdict::Failed {
            say(format_args!("{file} {number} failed: {outcome:?}"));
        }
    }

    fn file(&mut self, name: &str, tally: Tally) {
        say(format_args!("{name} {}", Tallied(tally)));
    }
}

/// A tally in words.
struct Tallied(Tally);

impl core::fmt::Display for Tallied {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Tally { passed, failed, skipped } = self.0;
        write!(f, "passed {passed} failed {failed} skipped {skipped}")
    }
}
