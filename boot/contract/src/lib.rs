#![no_std]
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
//! The Limine boot protocol, base revisions 3 to 6, from the loader's side.
//!
//! What both of our loaders do alike, whatever they found their files in:
//! [`elf`] reads a kernel and says how it is to be loaded; [`request`] finds
//! what the loaded image asks for; [`memory`] keeps the map of RAM that is
//! handed over; [`paging`] builds the tables the kernel is entered with;
//! [`answer`] lays out the responses; [`machine`] puts the processor into the
//! promised state and jumps. [`archive`] is the file that direct boot takes
//! its other files from, and [`acpi`] finds the tables that must be mapped.
//!
//! The crate knows no firmware and, but for [`machine`], no hardware: memory
//! comes in as slices or through a trait, so all of it runs under test on the
//! host. Source of fact: the protocol's PROTOCOL.md, in the revision that
//! specifies base revisions 0 to 6.

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod acpi;
pub mod answer;
pub mod archive;
mod arena;
mod bytes;
pub mod elf;
pub mod machine;
pub mod memory;
pub mod paging;
pub mod request;
mod response;

pub use arena::Arena;

/// Bytes in a page, on both architectures.
pub const PAGE: u64 = 4096;

/// Where physical address 0 appears in the direct map. The protocol leaves
/// the place to the loader; this is the lowest address of the upper half that
/// x86_64 has with four levels, and AArch64 has it too.
pub const DIRECT_MAP: u64 = 0xffff_8000_0000_0000;

/// Lowest address a kernel may be linked at.
pub const KERNEL_LOWEST: u64 = 0xffff_ffff_8000_0000;

/// Smallest stack a kernel is entered with, in bytes.
pub const STACK_LEAST: u64 = 64 << 10;

/// Largest stack that is given to a kernel that asks, in bytes.
pub const STACK_MOST: u64 = 16 << 20;

/// Makes an error of a loader's of each error named, as its variant.
#[macro_export]
macro_rules! from_errors {
    ($whole:ident: $($error:ident => $variant:ident;)*) => {$(
        impl From<$error> for $whole {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

/// An architecture a kernel can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// AMD64 and Intel 64.
    X86_64,
    /// Armv8-A in AArch64 state.
    Aarch64,
}

impl Architecture {
    /// Its name, as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "AArch64",
        }
    }
}

/// What may be done with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Read.
    ReadOnly,
    /// Read and written.
    ReadWrite,
    /// Read and executed.
    ReadExecute,
}
