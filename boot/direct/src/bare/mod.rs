//! Everything that touches the machine.
//!
//! [`head`] is where it begins, [`start`] the order of things, [`area`] is
//! memory, [`level`] leaves EL3, [`console`], [`fault`] and [`power`] are for the
//! case that nothing is started.
//! The MMU is off all the time: memory is at its physical address and is not
//! cached, and unaligned or exclusive accesses don't work, which the target
//! and the absence of locks take care of.

mod area;
mod console;
mod fault;
mod head;
mod level;
mod power;
mod start;

use console::say;

/// Called once by [`head`], with what was in x0.
#[unsafe(no_mangle)]
extern "C" fn heliograph_main(tree: u64) -> ! {
    fault::take();
    let refusal = match start::start(tree) {
        Ok(never) => match never {},
        Err(refusal) => refusal,
    };
    say(format_args!("nothing is started: {refusal}"));
    power::off()
}

/// A bug of the loader.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    say(format_args!("the loader itself is wrong: {info}"));
    power::off()
}
