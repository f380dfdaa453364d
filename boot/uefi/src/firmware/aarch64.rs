//! AArch64: tables built, caches written back, the kernel entered.

use boot_contract::elf::Image;
use boot_contract::machine::aarch64::{self as machine, State};
use boot_contract::memory::Entry;
use boot_contract::paging::{self, Aarch64};
use boot_contract::{Arena, PAGE, Protection};
use boot_uefi::refusal::Refusal;

use super::Never;
use super::pages::{Pages, Pool};
use super::tables::{FirmwareMemory, Tables};

/// What has to be known of the machine before firmware is gone.
#[derive(Debug)]
pub struct Machine(());

impl Machine {
    /// Looks the machine over.
    pub fn find(_memory: &FirmwareMemory<'_>, _tables: &Tables) -> Result<Self, Refusal> {
        match machine::exception_level() {
            1 | 2 => Ok(Self(())),
            _ => Err(Refusal::Processor("firmware runs at an exception level other than 1 and 2")),
        }
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
        _arena: &mut Arena<'_>,
    ) -> Result<Never, Refusal> {
        let page = machine::switch_page();
        let mut tables = paging::Tables::<_, Aarch64>::new(pool)?;
        tables.map(page, page, PAGE, Protection::ReadExecute)?;
        let lower = tables.root();
        let mut tables = paging::Tables::<_, Aarch64>::new(pool)?;
        tables.map_kernel(image, kernel.address())?;
        tables.map_direct(memory)?;
        let upper = tables.root();
        // What is fetched as instructions has to be in memory. Tables and data
        // are read through the caches they were written through.
        //
        // SAFETY: the kernel and the loader's own code are memory that is
        // mapped.
        unsafe {
            machine::write_back(kernel.address(), kernel.size());
            machine::write_back(page, PAGE);
        }
        // SAFETY: `find` has seen the exception level, and firmware maps
        // memory at its physical address; the tables map kernel, direct map
        // and switch, and both of these were written back. Boot services are
        // gone, so no one else uses the machine.
        unsafe { machine::enter(State { lower, upper, entry, stack_top }) }
    }
}
