//! Entries of x86_64 (Intel SDM, volume 3A, section 4.5).

use super::Format;
use crate::Protection;

const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
const BLOCK: u64 = 1 << 7;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Supervisor memory, cached write-back (the first attribute of the PAT).
#[derive(Clone, Copy, Debug)]
pub struct X86_64;

impl Format for X86_64 {
    fn table(address: u64) -> u64 {
        address | PRESENT | WRITABLE
    }

    fn leaf(address: u64, protection: Protection, is_block: bool) -> u64 {
        let bits = match protection {
            Protection::ReadOnly => NO_EXECUTE,
            Protection::ReadWrite => NO_EXECUTE | WRITABLE,
            Protection::ReadExecute => 0,
        };
        address | PRESENT | bits | if is_block { BLOCK } else { 0 }
    }

    fn next(entry: u64) -> Option<u64> {
        (entry & BLOCK == 0).then_some(entry & ADDRESS)
    }
}
