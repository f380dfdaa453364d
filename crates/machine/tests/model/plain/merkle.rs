//! The commitment to a store, counted out each time.

use crate::common::HASHER;
use witness::Hash;

/// All leaves, with the padding.
fn leaves(slots: u32, content: &dyn Fn(u32) -> Vec<u8>) -> Vec<Hash> {
    let depth = depth(slots);
    let leaf = |slot: u32| HASHER.leaf(&if slot < slots { content(slot) } else { vec![] });
    (0..1u32 << depth).map(leaf).collect()
}

pub fn depth(slots: u32) -> u32 {
    (1..).find(|depth| 1u64 << depth >= u64::from(slots)).unwrap()
}

/// The tree, leaves first, the root last.
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    pub fn of(slots: u32, content: &dyn Fn(u32) -> Vec<u8>) -> Self {
        let mut levels = vec![leaves(slots, content)];
        while levels.last().unwrap().len() > 1 {
            let above = levels.last().unwrap().chunks(2).map(|two| HASHER.node(&two[0], &two[1]));
            levels.push(above.collect());
        }
        Self { levels }
    }

    pub fn root(&self) -> Hash {
        self.levels.last().unwrap()[0]
    }

    pub fn leaf(&self, slot: u32) -> Hash {
        self.levels[0][slot as usize]
    }

    /// What follows the head of an answer: leaf, root, depth, siblings.
    pub fn opening(&self, slot: u32) -> Vec<u8> {
        let depth = self.levels.len() - 1;
        let mut bytes = [self.leaf(slot), self.root()].concat();
        bytes.extend((depth as u64).to_le_bytes());
        for (level, hashes) in self.levels[..depth].iter().enumerate() {
            bytes.extend(hashes[(slot as usize >> level) ^ 1]);
        }
        bytes
    }
}
