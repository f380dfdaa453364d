//! Tasks and components: starting one, and what is given to it.

use abi::{
    Error, GrantArguments, Handle, Operation, Rights, SPAWN_SIZE, SpawnArguments,
    profile::CAPABILITIES,
};

use super::{Component, Task, to_handle};
use crate::imports::{self, answer};

impl Task {
    /// A grant to this task of these rights, with no other limit than the
    /// giver's own. Change the members for a badge, an expiry or uses.
    pub const fn terms(self, rights: Rights) -> GrantArguments {
        GrantArguments { to: self.0, rights, badge: 0, expiry: u64::MAX, uses: u32::MAX }
    }

    /// `cap_grant`, revoke, of a task: ends it. Needs REVOKE.
    ///
    /// # Errors
    /// Any refusal of the capability.
    pub fn kill(self) -> Result<(), Error> {
        self.revoke()
    }
}

impl Component {
    /// `task_spawn`: starts the component with copies of these capabilities as
    /// its handles 0, 1, 2 and so on; each needs GRANT, which the copy does
    /// not have. Needs EXECUTE. `arguments.capabilities` is filled in from the
    /// list.
    ///
    /// # Errors
    /// [`Error::BadLength`] for more than 64 capabilities;
    /// [`Error::OverBudget`], [`Error::TableFull`], [`Error::StartFailed`] and
    /// others from the kernel.
    pub fn spawn(self, arguments: SpawnArguments, capabilities: &[Handle]) -> Result<Task, Error> {
        let mut block = [0; SPAWN_SIZE + 4 * CAPABILITIES];
        if capabilities.len() > CAPABILITIES {
            return Err(Error::BadLength);
        }
        // At most 64, by the check above.
        let count = capabilities.len() as u32;
        let head = SpawnArguments { capabilities: count, ..arguments }.to_bytes();
        block[..SPAWN_SIZE].copy_from_slice(&head);
        for (slot, handle) in block[SPAWN_SIZE..].chunks_exact_mut(4).zip(capabilities) {
            slot.copy_from_slice(&handle.0.to_le_bytes());
        }
        let used = SPAWN_SIZE + 4 * capabilities.len();
        let value = imports::task_spawn(self.0.0, &block[..used]);
        answer(value).and_then(to_handle).map(Task)
    }
}

pub(super) fn grant(handle: Handle, arguments: &GrantArguments) -> Result<Handle, Error> {
    let value = imports::cap_grant(handle.0, Operation::Grant, &arguments.to_bytes());
    answer(value).and_then(to_handle)
}

pub(super) fn take_back(handle: Handle, operation: Operation) -> Result<(), Error> {
    answer(imports::cap_grant(handle.0, operation, &[])).map(drop)
}
