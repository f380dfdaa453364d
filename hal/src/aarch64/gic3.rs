//! Arm Generic Interrupt Controller, versions 3 and 4 (Arm IHI 0069), by the
//! `arm-gic` crate: finding this processor's redistributor, and setting up
//! the few interrupts in use.

use core::ptr::NonNull;

use arm_gic::gicv3::registers::{Gicd, GicrSgi};
use arm_gic::gicv3::{GicCpuInterface, GicDistributor, GicRedistributor, HIGHEST_NS_PRIORITY};
use arm_gic::{IntId, InterruptGroup, Trigger, UniqueMmioPointer};

use super::cpu;
use crate::traits::DiscoverError;

/// Frames of 64 KiB that a redistributor has: two, or four with virtual LPIs
/// ("GIC Redistributor register map").
const FRAME: u64 = 0x1_0000;

/// No interrupt of this controller has the number.
const BAD_NUMBER: DiscoverError = DiscoverError::BadDescription("interrupt number");

/// Distributor and this processor's redistributor. The CPU interface is
/// reached by system registers.
pub struct Gic3 {
    distributor: GicDistributor<'static>,
    redistributor: GicRedistributor<'static>,
}

impl Gic3 {
    /// Disables what the firmware left, and lets interrupts that are enabled
    /// later through to this processor.
    ///
    /// # Safety
    /// At `distributor` the GIC's distributor registers are mapped, at
    /// `redistributors` `length` bytes of its redistributor registers, both
    /// as device memory for good, and nothing else uses them.
    pub unsafe fn start(
        distributor: u64,
        redistributors: u64,
        length: u64,
    ) -> Result<Self, DiscoverError> {
        let distributor: NonNull<Gicd> = pointer(distributor)?;
        // SAFETY: by the caller's promise.
        let mut distributor = GicDistributor::new(unsafe { UniqueMmioPointer::new(distributor) });
        // SAFETY: by the caller's promise.
        let mut redistributor = unsafe { find(redistributors, length)? };

        if cpu::is_host() {
            GicCpuInterface::enable_system_register_el2(false);
        }
        GicCpuInterface::enable_system_register_el1();
        // The error says that the firmware has woken it.
        let _ = redistributor.mark_core_awake();
        redistributor.configure_default_settings();
        distributor.enable_all_interrupts(false);
        distributor.configure_default_settings();
        GicCpuInterface::set_priority_mask(0xff);
        GicCpuInterface::enable_group1(true);
        Ok(Self { distributor, redistributor })
    }

    /// Lets one interrupt through to this processor, triggered by its level.
    pub fn enable(&mut self, line: u32) -> Result<(), DiscoverError> {
        let id = IntId::try_from(line).map_err(|_| BAD_NUMBER)?;
        let result = if id.is_private() {
            self.redistributor
                .set_interrupt_priority(id, HIGHEST_NS_PRIORITY)
                .and_then(|()| self.redistributor.enable_interrupt(id, true))
        } else {
            self.distributor
                .set_interrupt_priority(id, HIGHEST_NS_PRIORITY)
                .and_then(|()| self.distributor.set_trigger(id, Trigger::Level))
                .and_then(|()| self.distributor.set_routing(id, Some(cpu::affinity())))
                .and_then(|()| self.distributor.enable_interrupt(id, true))
        };
        result.map_err(|_| BAD_NUMBER)
    }
}

/// Takes the pending interrupt of highest priority.
pub fn acknowledge() -> Option<u32> {
    GicCpuInterface::get_and_acknowledge_interrupt(InterruptGroup::Group1).map(u32::from)
}

/// Has dealt with an interrupt that [`acknowledge`] gave.
pub fn end(line: u32) {
    if let Ok(line) = IntId::try_from(line) {
        GicCpuInterface::end_interrupt(line, InterruptGroup::Group1);
    }
}

/// The redistributor of this processor: its TYPER names the affinity.
///
/// # Safety
/// As for [`Gic3::start`].
unsafe fn find(start: u64, length: u64) -> Result<GicRedistributor<'static>, DiscoverError> {
    const MISSING: DiscoverError = DiscoverError::Missing("GIC redistributor of this processor");
    let mut offset = 0;
    while offset + 2 * FRAME <= length {
        let frame: NonNull<GicrSgi> = pointer(start + offset)?;
        // SAFETY: two frames from here on are redistributor registers by the
        // caller's promise; a handle that is not returned is dropped before
        // the next is made.
        let redistributor = GicRedistributor::new(unsafe { UniqueMmioPointer::new(frame) });
        let kind = redistributor.typer();
        if kind.core_mpidr() == cpu::affinity() {
            return Ok(redistributor);
        }
        if kind.last_redistributor() {
            break;
        }
        offset += if kind.virtual_lpis_supported() { 4 * FRAME } else { 2 * FRAME };
    }
    Err(MISSING)
}

fn pointer<T>(address: u64) -> Result<NonNull<T>, DiscoverError> {
    NonNull::new(core::ptr::with_exposed_provenance_mut(address as usize))
        .ok_or(DiscoverError::BadDescription("GIC address"))
}
