//! Segments, and the stacks that faults are taken on.
//!
//! Faults must not use the stack that may be their cause: the interrupt stack
//! table gives page faults and all others one of their own, and another one
//! to what can come while a fault is being reported.

use spin::Once;
use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, DS, ES, FS, GS, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;

use crate::image;

/// Stack index of ordinary faults.
pub const FAULT_STACK: u16 = 0;
/// Stack index of double faults, NMI and machine checks.
pub const DOUBLE_FAULT_STACK: u16 = 1;

static TSS: Once<TaskStateSegment> = Once::new();
static GDT: Once<(GlobalDescriptorTable, SegmentSelector, SegmentSelector, SegmentSelector)> =
    Once::new();

/// Loads the tables. Called once, before the interrupt table is.
pub fn load() {
    let tss = TSS.call_once(|| {
        let mut tss = TaskStateSegment::new();
        tss.interrupt_stack_table[usize::from(FAULT_STACK)] =
            VirtAddr::new(image::fault_stack().end);
        tss.interrupt_stack_table[usize::from(DOUBLE_FAULT_STACK)] =
            VirtAddr::new(image::double_fault_stack().end);
        tss
    });
    let (gdt, code, data, task) = GDT.call_once(|| {
        let mut gdt = GlobalDescriptorTable::new();
        let code = gdt.append(Descriptor::kernel_code_segment());
        let data = gdt.append(Descriptor::kernel_data_segment());
        let task = gdt.append(Descriptor::tss_segment(tss));
        (gdt, code, data, task)
    });
    gdt.load();
    // SAFETY: the selectors are those of the table just loaded, which lies in
    // a static: a 64-bit code segment, a data segment and a task segment
    // whose TSS is static too. In 64-bit mode bases and limits of DS, ES and
    // SS are ignored, and nothing in the kernel is relative to FS or GS.
    unsafe {
        CS::set_reg(*code);
        SS::set_reg(*data);
        DS::set_reg(*data);
        ES::set_reg(*data);
        FS::set_reg(SegmentSelector::NULL);
        GS::set_reg(SegmentSelector::NULL);
        load_tss(*task);
    }
}
