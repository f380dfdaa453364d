//! Everything that touches firmware or hardware.
//!
//! [`main`] is the order of things; [`files`] reads, [`load`] puts the kernel
//! into memory and [`handover`] takes the machine over. [`say`] is the console,
//! [`pages`] and [`map`] are memory, [`tables`] is what firmware left for
//! others, and [`processor`] the rest of the machine's state.

mod files;
mod handover;
mod load;
mod map;
mod pages;
mod say;
mod tables;

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod processor;

use core::time::Duration;

use boot_contract::Architecture;
use boot_uefi::check::{self, Files};
use boot_uefi::command_line;
use boot_uefi::refusal::Refusal;
use uefi::proto::rng::Rng;
use uefi::runtime::ResetType;
use uefi::{Status, boot, entry, runtime};
use witness::{Hasher, hex};

use say::say;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: Architecture = Architecture::X86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: Architecture = Architecture::Aarch64;

/// The key that signs trust files, in hexadecimal; `build.rs` has checked it.
const ROOT_KEY: &str = env!("HELIOGRAPH_ROOT_KEY");

/// How long a refusal stays on the screen.
const REFUSAL_SHOWN: Duration = Duration::from_secs(1);

#[entry]
fn main() -> Status {
    let refusal = match start() {
        Ok(never) => match never {},
        Err(refusal) => refusal,
    };
    say(format_args!("nothing is started: {refusal}"));
    boot::stall(REFUSAL_SHOWN);
    off()
}

/// Nobody: a kernel that was started does not return.
enum Never {}

fn start() -> Result<Never, Refusal> {
    let files = files::read()?;
    let root = hex::decode(&ROOT_KEY.to_ascii_lowercase());
    let root = root.ok_or(Refusal::Processor("the loader was built without a root key"))?;
    let checked = check::check(
        &Files {
            kernel: files.kernel.bytes(),
            kernel_signature: files.kernel_signature.bytes(),
            package: files.package.bytes(),
            trust: files.trust.bytes(),
        },
        &root,
        ARCHITECTURE,
        Hasher::SOFTWARE,
    )?;
    let keys = if checked.is_development() { " (development keys)" } else { "" };
    say(format_args!(
        "kernel signed by {}, package signed by {}{keys}",
        checked.kernel_signer(),
        checked.package_signer()
    ));
    let own = files.loader.as_ref().map(|file| Hasher::SOFTWARE.hash(file.bytes()));
    let words = files.command_line.as_ref().map_or(&[][..], |file| file.bytes());
    let (own, entropy) = (own.as_ref(), entropy());
    let line = command_line::compose(own, checked.digests(), entropy.as_ref(), words)?;
    let loaded = load::load(checked.kernel(), &files, &line)?;
    handover::take_over(loaded)
}

/// Random bytes, where firmware has a source of them.
fn entropy() -> Option<[u8; 32]> {
    let handle = boot::get_handle_for_protocol::<Rng>().ok()?;
    let mut source = boot::open_protocol_exclusive::<Rng>(handle).ok()?;
    let mut bytes = [0; 32];
    source.get_rng(None, &mut bytes).ok()?;
    Some(bytes)
}

/// Switches the machine off.
fn off() -> ! {
    runtime::reset(ResetType::SHUTDOWN, Status::SUCCESS, None)
}

/// A bug of the loader: said if there is still a console, and the end.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    say(format_args!("the loader itself is wrong: {info}"));
    off()
}
