//! Page tables of the processor: building and using them.

use x86_64::PhysAddr;
use x86_64::registers::control::{Cr0, Cr0Flags, Cr3, Cr3Flags, Cr4, Cr4Flags};
use x86_64::registers::model_specific::{Efer, EferFlags};
use x86_64::structures::paging::PhysFrame;

use super::cpu::cpuid;
use super::descriptor::Descriptor;
use crate::table::Tables;
use crate::traits::{self, FrameSource, MapError, Protection};

/// Page tables of x86_64, four levels.
pub struct PageTables(Tables<Descriptor>);

impl traits::PageTables for PageTables {
    fn new(frames: &mut dyn FrameSource) -> Result<Self, MapError> {
        Tables::new(frames).map(Self)
    }

    fn map(
        &mut self,
        frames: &mut dyn FrameSource,
        virtual_address: u64,
        physical_address: u64,
        length: u64,
        protection: Protection,
    ) -> Result<(), MapError> {
        self.0.map(frames, virtual_address, physical_address, length, protection)
    }

    fn translate(&self, virtual_address: u64) -> Option<(u64, Protection)> {
        self.0.translate(virtual_address)
    }

    unsafe fn activate(&mut self) {
        let root = PhysFrame::containing_address(PhysAddr::new(self.0.root()));
        let features = cpuid(7, 0);
        let mut cr4 = Cr4::read() | Cr4Flags::PAGE_GLOBAL;
        cr4.set(Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION, features.ebx & 1 << 7 != 0);
        cr4.set(Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION, features.ebx & 1 << 20 != 0);
        cr4.set(Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION, features.ecx & 1 << 2 != 0);
        // SAFETY: EFER.NXE first, for the new tables use bit 63; every x86_64
        // processor that can be entered by the boot protocol has it. The
        // caller promises that the tables map what is in use. Global pages go
        // off around the switch, which drops what the loader's tables left in
        // the TLB. CR0.WP makes read-only mean it for the kernel too; SMEP,
        // SMAP and UMIP are set only where CPUID has them, and no page
        // belongs to user mode.
        unsafe {
            Efer::update(|flags| flags.insert(EferFlags::NO_EXECUTE_ENABLE));
            Cr4::update(|flags| flags.remove(Cr4Flags::PAGE_GLOBAL));
            Cr3::write(root, Cr3Flags::empty());
            Cr4::write(cr4);
            Cr0::update(|flags| flags.insert(Cr0Flags::WRITE_PROTECT));
        }
    }
}
