//! Page table entries of x86_64 (Intel SDM volume 3, 5.5.4, table 5-15 on).

use crate::table::{Entry, Format};
use crate::traits::Protection;

const PRESENT: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const WRITE_THROUGH: u64 = 1 << 3;
const CACHE_DISABLE: u64 = 1 << 4;
const BLOCK: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The encoding of x86_64.
pub struct Descriptor;

impl Format for Descriptor {
    fn table(physical: u64) -> u64 {
        // Rights of a table limit those of its pages; the pages say it all.
        physical & ADDRESS | PRESENT | WRITABLE
    }

    fn leaf(physical: u64, level: u32, protection: Protection) -> u64 {
        let rights = match protection {
            Protection::ReadOnly => NO_EXECUTE,
            Protection::ReadWrite => WRITABLE | NO_EXECUTE,
            Protection::ReadExecute => 0,
            // PAT entry 3, which is "uncacheable" after reset and in
            // Limine's table.
            Protection::Device => WRITABLE | NO_EXECUTE | WRITE_THROUGH | CACHE_DISABLE,
        };
        let block = if level == 0 { 0 } else { BLOCK };
        physical & ADDRESS | PRESENT | GLOBAL | rights | block
    }

    fn decode(entry: u64, level: u32) -> Entry {
        if entry & PRESENT == 0 {
            return Entry::Empty;
        }
        if level > 0 && entry & BLOCK == 0 {
            return Entry::Table(entry & ADDRESS);
        }
        let protection = if entry & CACHE_DISABLE != 0 {
            Protection::Device
        } else if entry & WRITABLE != 0 {
            Protection::ReadWrite
        } else if entry & NO_EXECUTE != 0 {
            Protection::ReadOnly
        } else {
            Protection::ReadExecute
        };
        Entry::Leaf(entry & ADDRESS, protection)
    }

    /// Bits 63 to 47 are equal (four levels, 48 bits).
    fn is_canonical(address: u64) -> bool {
        matches!(address >> 47, 0 | 0x1_ffff)
    }

    /// Nothing to do: the walker sees memory in the order it was written,
    /// and entries that were not present are not cached (SDM 5.10.2.3).
    fn publish() {}
}
