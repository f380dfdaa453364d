//! Where the nucleus is: in the cell, or in the store of the task that runs.

use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};
use nucleus::Nucleus;

/// A place for the nucleus. It is taken only by [`Seat::lend`], which brings
/// it back before it returns.
pub(crate) struct Seat(Option<Box<Nucleus>>);

impl Seat {
    /// A seat that is taken.
    pub(crate) fn new(nucleus: Nucleus) -> Self {
        Self(Some(Box::new(nucleus)))
    }

    /// A seat for a nucleus to be lent to.
    pub(crate) fn empty() -> Self {
        Self(None)
    }

    /// The nucleus, if it is here.
    pub(crate) fn here(&mut self) -> Option<&mut Nucleus> {
        self.0.as_deref_mut()
    }

    /// Puts the nucleus into the seat that `to` finds in a borrower, for as
    /// long as `during` runs.
    pub(crate) fn lend<B, R>(
        &mut self,
        borrower: &mut B,
        to: impl Fn(&mut B) -> &mut Self,
        during: impl FnOnce(&mut B) -> R,
    ) -> R {
        core::mem::swap(self, to(borrower));
        let result = during(borrower);
        core::mem::swap(self, to(borrower));
        result
    }
}

impl Deref for Seat {
    type Target = Nucleus;

    fn deref(&self) -> &Nucleus {
        match &self.0 {
            Some(nucleus) => nucleus,
            // The owner of a seat lends it by `&mut` and gets it back filled.
            None => unreachable!("the nucleus is lent"),
        }
    }
}

impl DerefMut for Seat {
    fn deref_mut(&mut self) -> &mut Nucleus {
        match &mut self.0 {
            Some(nucleus) => nucleus,
            None => unreachable!("the nucleus is lent"),
        }
    }
}
