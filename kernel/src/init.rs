//! The phases of init.

use hal::boot::BootInfo;
use hal::traits::{Cpu, Platform};
use kernel::command_line::CommandLine;
use kernel::frames::Frames;
use kernel::heap_size;
use kernel::phases::{Diagnosis, Phase, Undo};
use witness::hex;
use witness::sha256::{Hash, Hasher, software};

use crate::boot::{self, Modules};
use crate::console::{say, warn};
use crate::{Disk, Kernel, Machine, console, heap, memory, trap};

type Tables = <Machine as Platform>::PageTables;
type Processor = <Machine as Platform>::Cpu;

/// What the phases have made so far.
#[derive(Default)]
pub struct Init {
    boot: Option<&'static BootInfo<'static>>,
    command_line: Option<CommandLine<'static>>,
    modules: Modules,
    kernel_file: Option<&'static [u8]>,
    hasher: Option<Hasher>,
    kernel_digest: Hash,
    frames: Option<Frames>,
    tables: Option<Tables>,
    platform: Option<Machine>,
    boot_id: [u8; 16],
    log_disk: Option<Disk>,
}

impl Init {
    /// The finished kernel, if every phase did its work.
    pub fn finish(self) -> Option<Kernel> {
        Some(Kernel {
            platform: self.platform?,
            boot: self.boot?,
            command_line: self.command_line?,
            modules: self.modules,
            hasher: self.hasher?,
            kernel_digest: self.kernel_digest,
            boot_id: self.boot_id,
            log_disk: self.log_disk,
        })
    }
}

/// The table, in the order in which it runs.
pub const PHASES: [Phase<Init>; 10] = [
    Phase {
        name: "boot-info",
        needs: &[],
        run: take_boot_info,
        undo: Undo::By(|init| {
            (init.boot, init.command_line, init.kernel_file) = (None, None, None);
            init.modules = Modules::default();
        }),
    },
    Phase {
        name: "vectors",
        needs: &["boot-info"],
        run: install_vectors,
        undo: Undo::Stays("a fault in the diagnosis must be reported too"),
    },
    Phase {
        name: "digests",
        needs: &["boot-info", "vectors"],
        run: measure,
        undo: Undo::By(|init| (init.hasher, init.kernel_digest) = (None, [0; 32])),
    },
    Phase {
        name: "frames",
        needs: &["boot-info"],
        run: find_frames,
        undo: Undo::By(|init| init.frames = None),
    },
    Phase {
        name: "paging",
        needs: &["frames", "vectors"],
        run: build_tables,
        undo: Undo::Stays("the diagnosis is written through its tables"),
    },
    Phase { name: "heap", needs: &["paging"], run: open_heap, undo: Undo::By(|_| heap::stop()) },
    Phase {
        name: "devices",
        needs: &["paging", "heap"],
        run: find_devices,
        // Dropping them resets those that write to memory by themselves.
        undo: Undo::By(|init| init.platform = None),
    },
    Phase {
        name: "interrupts",
        needs: &["devices", "vectors"],
        run: take_interrupts,
        undo: Undo::By(|_| {
            Processor::disable_interrupts();
        }),
    },
    Phase {
        name: "entropy",
        needs: &["devices"],
        run: name_boot,
        undo: Undo::By(|init| init.boot_id = [0; 16]),
    },
    Phase {
        name: "log-device",
        needs: &["devices", "interrupts"],
        run: take_log_device,
        undo: Undo::By(|init| init.log_disk = None),
    },
];

/// What a phase says when one before it did not leave what it should.
const MISSING: Diagnosis = Diagnosis::Because("an earlier phase left nothing to work with");

fn take_boot_info(init: &mut Init) -> Result<(), Diagnosis> {
    let boot = boot::take()?;
    match boot::revision() {
        Some(revision) => say(format_args!("boot protocol of revision {revision}")),
        None => say(format_args!("boot protocol of a revision below 3")),
    }
    init.boot = Some(boot);
    init.command_line = Some(CommandLine(boot.command_line));
    init.modules = Modules::take();
    init.kernel_file = boot::kernel_file();
    Ok(())
}

fn install_vectors(init: &mut Init) -> Result<(), Diagnosis> {
    if Machine::early(init.boot.ok_or(MISSING)?, &trap::HANDLERS) {
        console::replay();
    }
    Processor::assert_float_state();
    Ok(())
}

/// SHA-256 of "abc" (FIPS 180-4, example B.1).
const ABC: Hash = [
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
];

fn measure(init: &mut Init) -> Result<(), Diagnosis> {
    let (compress, name) = Processor::sha256().unwrap_or((software, "software"));
    let hasher = Hasher(compress);
    // Everything that leaves the machine hangs on this function.
    if hasher.hash(b"abc") != ABC {
        return Err(Diagnosis::Because("the processor computes a wrong SHA-256"));
    }
    // Zeros say that the loader did not hand the file over.
    init.kernel_digest = init.kernel_file.map_or([0; 32], |file| hasher.hash(file));
    let checked = init.command_line.and_then(|line| line.get("kernel.sha256"));
    if checked.is_some_and(|digest| hex::decode(digest) != Some(init.kernel_digest)) {
        let reason = "the kernel's file has not the digest that kernel.sha256 says";
        return Err(Diagnosis::Because(reason));
    }
    init.hasher = Some(hasher);
    say(format_args!("SHA-256 by {name}"));
    Ok(())
}

fn find_frames(init: &mut Init) -> Result<(), Diagnosis> {
    let boot = init.boot.ok_or(MISSING)?;
    // SAFETY: the boot protocol says that usable memory is nobody's and in
    // the direct map at this offset; the kernel's own tables keep it there.
    let frames = unsafe { Frames::new(boot.memory, boot.hhdm_offset) };
    say(format_args!("{} MiB of memory are free", frames.free_bytes() >> 20));
    init.frames = Some(frames);
    Ok(())
}

fn build_tables(init: &mut Init) -> Result<(), Diagnosis> {
    let frames = init.frames.as_mut().ok_or(MISSING)?;
    init.tables = Some(memory::start(init.boot.ok_or(MISSING)?, frames)?);
    Ok(())
}

fn open_heap(init: &mut Init) -> Result<(), Diagnosis> {
    let (Some(frames), Some(tables)) = (&mut init.frames, &mut init.tables) else {
        return Err(MISSING);
    };
    let asked = init.command_line.and_then(|line| line.get("heap"));
    let size = heap_size::choose(asked, frames.free_bytes()).map_err(Diagnosis::Because)?;
    heap::start(frames, tables, size)?;
    say(format_args!("the heap has {} MiB", size >> 20));
    Ok(())
}

fn find_devices(init: &mut Init) -> Result<(), Diagnosis> {
    let (Some(boot), Some(frames), Some(tables)) = (init.boot, &mut init.frames, &mut init.tables)
    else {
        return Err(MISSING);
    };
    let platform = Machine::discover(boot, tables, frames).map_err(Diagnosis::Discover)?;
    console::replay();
    say(format_args!("{}", Described(&platform)));
    init.platform = Some(platform);
    Ok(())
}

fn take_interrupts(init: &mut Init) -> Result<(), Diagnosis> {
    init.platform.as_mut().ok_or(MISSING)?.console().enable_receive_interrupt();
    Processor::enable_interrupts();
    Ok(())
}

fn name_boot(init: &mut Init) -> Result<(), Diagnosis> {
    let platform = init.platform.as_mut().ok_or(MISSING)?;
    if platform.entropy().fill(&mut init.boot_id) {
        return Ok(());
    }
    // A loader has sources of its own: UEFI's, or a seed in the device tree.
    let given = init.command_line.and_then(|line| line.get("entropy"));
    if let Some(bytes) = given.and_then(hex::decode::<32>) {
        init.boot_id.copy_from_slice(&bytes[..16]);
    } else {
        // Not a secret, only a name: where the machine has no generator, the
        // clock tells one boot from the next well enough, and says so.
        warn(format_args!("no hardware entropy: the boot is named by the clock"));
        let now = platform.timer().now_ns();
        init.boot_id = [0; 16];
        init.boot_id[..8].copy_from_slice(&now.to_be_bytes());
    }
    Ok(())
}

fn take_log_device(init: &mut Init) -> Result<(), Diagnosis> {
    let platform = init.platform.as_mut().ok_or(MISSING)?;
    let by_console = init.command_line.is_some_and(|line| line.get("log") == Some("serial"));
    init.log_disk = platform.take_disk().filter(|_| !by_console);
    if init.log_disk.is_none() && !platform.console().is_present() {
        return Err(Diagnosis::Because("the log has no disk to go to and no console to go out by"));
    }
    Ok(())
}

/// A machine's own words about itself.
struct Described<'a>(&'a Machine);

impl core::fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.describe(f)
    }
}
