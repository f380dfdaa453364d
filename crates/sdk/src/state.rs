//! What a reactor remembers between messages.

use core::cell::RefCell;

/// A value in a static that one thread changes.
#[derive(Debug, Default)]
pub struct State<T>(RefCell<T>);

// SAFETY: a static is shared with other threads only if there are any. On
// wasm32-unknown-unknown without the feature `atomics`, which the kernel's
// engine refuses, a task has one thread. Elsewhere this is not implemented.
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
unsafe impl<T> Sync for State<T> {}

impl<T> State<T> {
    /// With this to begin with.
    pub const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// Works on it.
    ///
    /// # Panics
    /// Inside of itself.
    pub fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        act(&mut self.0.borrow_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_stays() {
        let state = State::new(1);
        state.with(|it| *it += 1);
        assert_eq!(state.with(|it| *it), 2);
    }
}
