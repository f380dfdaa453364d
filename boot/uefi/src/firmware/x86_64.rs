//! x86_64: interrupt controllers silenced as base revision 5 says, tables
//! built, the kernel entered.
//!
//! Two of its promises are left to firmware: IOMMUs stay as they are, and
//! local APICs' LINT pins are masked but not set up from the MADT. A kernel
//! that uses either sets it up by itself.

use core::arch::asm;

use alloc::vec::Vec;

use boot_contract::elf::Image;
use boot_contract::machine::x86_64::{self as machine, State, read_msr, write_msr};
use boot_contract::memory::Entry;
use boot_contract::paging::{self, X86_64};
use boot_contract::{Arena, PAGE, Protection, acpi};
use boot_uefi::refusal::Refusal;

use super::Never;
use super::pages::{Pages, Pool};
use super::tables::{FirmwareMemory, Tables};

/// What has to be known of the machine before firmware is gone.
#[derive(Debug)]
pub struct Machine {
    io_apics: Vec<u64>,
}

impl Machine {
    /// Looks the machine over.
    pub fn find(memory: &FirmwareMemory<'_>, tables: &Tables) -> Result<Self, Refusal> {
        machine::check().map_err(|unable| Refusal::Processor(unable.text()))?;
        let mut io_apics = Vec::new();
        if let Some(rsdp) = tables.rsdp {
            acpi::each_io_apic(memory, rsdp, &mut |address| io_apics.push(address));
        }
        Ok(Self { io_apics })
    }

    /// Enters the kernel.
    #[expect(clippy::too_many_arguments, reason = "called once, with all that there is")]
    pub fn enter(
        &self,
        image: &Image<'_>,
        entry: u64,
        stack_top: u64,
        memory: &[Entry],
        kernel: &Pages,
        pool: &mut Pool,
        arena: &mut Arena<'_>,
    ) -> Result<Never, Refusal> {
        let mut tables = paging::Tables::<_, X86_64>::new(pool)?;
        tables.map_kernel(image, kernel.address())?;
        tables.map_direct(memory)?;
        let page = machine::switch_page();
        tables.map(page, page, PAGE, Protection::ReadExecute)?;
        let state = State {
            tables: tables.root(),
            entry,
            stack_top,
            descriptors: machine::put_descriptors(arena)?,
        };
        self.silence();
        // SAFETY: firmware runs in 64-bit mode at the highest privilege, with
        // memory mapped at its physical address and four levels, as `check`
        // has seen. The tables map kernel, direct map and switch; stack and
        // descriptors are in memory that the map keeps. Boot services are
        // gone, so no one else uses the machine.
        unsafe { machine::enter(state) }
    }

    fn silence(&self) {
        // SAFETY: boot services are gone, so nobody waits for interrupts. The
        // ports are those of the two legacy controllers' masks, which a write
        // does not harm where there are none; the I/O APICs are where ACPI
        // says, and firmware still maps them at their physical addresses.
        unsafe {
            asm!("cli", options(nomem, nostack));
            mask_legacy_controllers();
            for &address in &self.io_apics {
                mask_io_apic(address);
            }
            set_up_local_apic();
        }
    }
}

/// # Safety
/// Nobody relies on interrupts of the legacy controllers.
unsafe fn mask_legacy_controllers() {
    for port in [0x21_u16, 0xa1] {
        // SAFETY: the caller's promise.
        unsafe { asm!("out dx, al", in("dx") port, in("al") 0xff_u8, options(nomem, nostack)) };
    }
}

/// Whether an entry of this delivery mode (bits 10:8) is masked: fixed,
/// lowest priority, NMI, ExtINT; SMI and INIT are firmware's.
fn is_masked(entry: u32) -> bool {
    matches!(entry >> 8 & 7, 0 | 1 | 4 | 7)
}

const MASK: u32 = 1 << 16;

/// # Safety
/// There is an I/O APIC at the address, and nobody relies on it.
unsafe fn mask_io_apic(address: u64) {
    const VERSION: u32 = 1;
    const FIRST_ENTRY: u32 = 0x10;
    let select = core::ptr::with_exposed_provenance_mut::<u32>(address as usize);
    let window = core::ptr::with_exposed_provenance_mut::<u32>(address as usize + 0x10);
    // SAFETY: the caller's promise; the registers are those of the 82093AA's
    // data sheet, section 3.1: a selector and a window.
    unsafe {
        select.write_volatile(VERSION);
        let last = window.read_volatile() >> 16 & 0xff;
        for index in 0..=last {
            select.write_volatile(FIRST_ENTRY + 2 * index);
            let entry = window.read_volatile();
            if is_masked(entry) {
                window.write_volatile(entry | MASK);
            }
        }
    }
}

/// Enables the local APIC with all its own sources masked.
///
/// # Safety
/// Nobody relies on the local APIC.
unsafe fn set_up_local_apic() {
    const BASE: u32 = 0x1b;
    const ENABLED: u64 = 1 << 11;
    const X2: u64 = 1 << 10;
    const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
    // SAFETY: every processor with 64-bit mode has the register; setting the
    // bit only enables the APIC.
    let base = unsafe {
        let base = read_msr(BASE) | ENABLED;
        write_msr(BASE, base);
        base
    };
    let apic = LocalApic { x2: base & X2 != 0, address: base & ADDRESS };
    // Intel SDM, volume 3A, 11.4.1: version, task priority, spurious vector,
    // and the local vector table, of which older processors have less.
    const VERSION: u32 = 0x30;
    const TASK_PRIORITY: u32 = 0x80;
    const SPURIOUS: u32 = 0xf0;
    const TABLE: [(u32, u32); 7] =
        [(0, 0x320), (1, 0x350), (2, 0x360), (3, 0x370), (4, 0x340), (5, 0x330), (6, 0x2f0)];
    // SAFETY: by the caller's promise nobody relies on it, and the registers
    // are those of an APIC whose version says that it has them.
    unsafe {
        apic.write(SPURIOUS, 0x1ff);
        apic.write(TASK_PRIORITY, 0);
        let last = apic.read(VERSION) >> 16 & 0xff;
        for (_, register) in TABLE.into_iter().filter(|(number, _)| *number <= last) {
            let entry = apic.read(register);
            if is_masked(entry) {
                apic.write(register, entry | MASK);
            }
        }
    }
}

/// The local APIC's registers, by memory or by MSR.
struct LocalApic {
    x2: bool,
    address: u64,
}

impl LocalApic {
    const FIRST_MSR: u32 = 0x800;

    /// # Safety
    /// The register exists.
    unsafe fn read(&self, register: u32) -> u32 {
        if self.x2 {
            // SAFETY: the caller's promise.
            return unsafe { read_msr(Self::FIRST_MSR + (register >> 4)) as u32 };
        }
        // SAFETY: the caller's promise; firmware maps the APIC at its
        // physical address.
        unsafe { self.pointer(register).read_volatile() }
    }

    /// # Safety
    /// The register exists, and takes the value.
    unsafe fn write(&self, register: u32, value: u32) {
        if self.x2 {
            // SAFETY: the caller's promise.
            return unsafe { write_msr(Self::FIRST_MSR + (register >> 4), value.into()) };
        }
        // SAFETY: as in `read`.
        unsafe { self.pointer(register).write_volatile(value) }
    }

    fn pointer(&self, register: u32) -> *mut u32 {
        core::ptr::with_exposed_provenance_mut(self.address as usize + register as usize)
    }
}
