//! Descriptors of AArch64 with a granule of 4 KiB (Arm ARM, D8.3).

use super::Format;
use crate::Protection;

const VALID: u64 = 1 << 0;
/// A table above the last level, a page on it; clear for a block.
const TABLE_OR_PAGE: u64 = 1 << 1;
const READ_ONLY: u64 = 1 << 7;
const INNER_SHAREABLE: u64 = 0b11 << 8;
const ACCESSED: u64 = 1 << 10;
const PRIVILEGED_NO_EXECUTE: u64 = 1 << 53;
const USER_NO_EXECUTE: u64 = 1 << 54;
const ADDRESS: u64 = 0x0000_ffff_ffff_f000;

/// Privileged memory with attribute 0 of MAIR_EL1.
#[derive(Clone, Copy, Debug)]
pub struct Aarch64;

impl Format for Aarch64 {
    fn table(address: u64) -> u64 {
        address | VALID | TABLE_OR_PAGE
    }

    fn leaf(address: u64, protection: Protection, is_block: bool) -> u64 {
        let bits = match protection {
            Protection::ReadOnly => READ_ONLY | PRIVILEGED_NO_EXECUTE,
            Protection::ReadWrite => PRIVILEGED_NO_EXECUTE,
            Protection::ReadExecute => READ_ONLY,
        };
        let kind = if is_block { VALID } else { VALID | TABLE_OR_PAGE };
        address | kind | bits | INNER_SHAREABLE | ACCESSED | USER_NO_EXECUTE
    }

    fn next(entry: u64) -> Option<u64> {
        (entry & TABLE_OR_PAGE != 0).then_some(entry & ADDRESS)
    }
}
