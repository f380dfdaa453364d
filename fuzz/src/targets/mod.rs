//! One file a target.

pub(crate) mod component;
pub(crate) mod disk;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod mount;
pub(crate) mod note;
pub(crate) mod package;
pub(crate) mod proof;
pub(crate) mod record;
pub(crate) mod shell;
pub(crate) mod syscall;
pub(crate) mod tree;
pub(crate) mod uart;
pub(crate) mod volume;
