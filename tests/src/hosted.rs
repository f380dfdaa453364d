//! Placeholder until the library runs cells in this process.
