//! Breaking things on purpose, to see that they break as they should.
//!
//! `test=NAME` on the command line picks one. Those that end in a fault check
//! the trap report and the exit status; the others say what they found and
//! end with success, or panic.

use core::hint::black_box;

use hal::traits::{Cpu, ExitStatus, Platform};

use crate::console::say;
use crate::idle::{self, Wake};
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
        "irq" => timer_interrupts,
        "input" => input,
        "float" => float,
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
    say(format_args!("{count} timer interrupts for 10 sleeps"));
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
