//! How much a task's memory and tables may grow.
//!
//! Growth beyond the budget traps. Growth within it must not depend on how
//! much the host has left: where an allocation fails nevertheless, the whole
//! machine stops, and no task is told.

use abi::profile::TABLE_ELEMENTS;
use wasmi::{
    ResourceLimiter,
    errors::{MemoryError, TableError},
};
use wasmi_core::LimiterError;

/// Most tables of a component; together they share one limit of elements.
const TABLES: usize = 16;

const DENIED: LimiterError = LimiterError::ResourceLimiterDeniedAllocation;

/// The limits of one task.
#[derive(Debug)]
pub struct Limiter {
    memory_bytes: usize,
    table_elements: usize,
    /// Whether the task's own memory budget was exceeded.
    pub(crate) exceeded_memory: bool,
    /// Whether the host had nothing left.
    pub(crate) host_failed: bool,
}

impl Limiter {
    /// A limiter for a memory of at most so many bytes.
    pub fn new(memory_bytes: u32) -> Self {
        Self {
            memory_bytes: usize::try_from(memory_bytes).unwrap_or(usize::MAX),
            table_elements: 0,
            exceeded_memory: false,
            host_failed: false,
        }
    }

    /// Whether the host had nothing left for something that the task may have.
    pub fn host_failed(&self) -> bool {
        self.host_failed
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> Result<bool, LimiterError> {
        if desired > self.memory_bytes {
            self.exceeded_memory = true;
            return Err(DENIED);
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> Result<bool, LimiterError> {
        let added = desired.saturating_sub(current);
        let all = self.table_elements.saturating_add(added);
        if all > TABLE_ELEMENTS {
            return Err(DENIED);
        }
        self.table_elements = all;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: &MemoryError) -> Result<(), LimiterError> {
        if matches!(error, MemoryError::OutOfSystemMemory) {
            self.host_failed = true;
            return Err(DENIED);
        }
        // Out of fuel: the operation is tried again in the next slice.
        Ok(())
    }

    fn table_grow_failed(&mut self, error: &TableError) -> Result<(), LimiterError> {
        if matches!(error, TableError::OutOfSystemMemory) {
            self.host_failed = true;
        }
        // Out of fuel included: wasmi 2.0.0 does not save its position when
        // fuel runs out in table.grow, so the task could not go on correctly.
        // No compiler that payloads come from uses the instruction.
        Err(DENIED)
    }

    fn instances(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        1
    }
}
