//! Packages: from a TOML recipe to a signed RVF file, and a look inside one.
//!
//! [`recipe`] reads the TOML that `docs/PACKAGE.md` section 7 defines,
//! [`write`] lays out segments and signs, [`inspect`] shows a file, [`program`] makes a
//! package of a program that is in none. What a
//! package means is the business of the `package` crate.

pub mod inspect;
pub mod program;
pub mod recipe;
mod stores;
pub mod write;

pub use recipe::Recipe;
pub use write::{Contents, seal, unsigned};
