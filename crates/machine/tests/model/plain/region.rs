//! Regions, as lists of bytes.

use abi::{Error, RegionMode};

/// Memory that a slab takes for each slot, beside its bytes.
const SLAB_SLOT: u64 = 20;

#[derive(Clone, Debug)]
pub struct Region {
    pub form: Form,
    /// Whether a task made it.
    pub created: bool,
}

#[derive(Clone, Debug)]
pub enum Form {
    Immutable(Vec<u8>),
    Append { bytes: Vec<u8>, most: usize },
    Slab { slot_bytes: usize, slots: Vec<SlabSlot>, free: Vec<u32> },
}

#[derive(Clone, Debug)]
pub struct SlabSlot {
    pub generation: u32,
    pub content: Option<Vec<u8>>,
}

/// What a region costs its partition.
pub fn cost(mode: RegionMode, content: usize) -> Result<u64, Error> {
    let bytes = match mode {
        RegionMode::Immutable => return Ok(content as u64),
        RegionMode::Append(bytes) => u128::from(bytes),
        RegionMode::Slab { slot_bytes: 0, .. } => 0,
        RegionMode::Slab { slot_bytes, slots } => {
            (u128::from(slot_bytes) + u128::from(SLAB_SLOT)) * u128::from(slots)
        }
    };
    if bytes == 0 || bytes > 1 << 30 { Err(Error::BadArgument) } else { Ok(bytes as u64) }
}

impl Region {
    pub fn new(mode: RegionMode, content: &[u8]) -> Self {
        let form = match mode {
            RegionMode::Immutable => Form::Immutable(content.to_vec()),
            RegionMode::Append(most) => Form::Append { bytes: vec![], most: most as usize },
            RegionMode::Slab { slot_bytes, slots } => Form::Slab {
                slot_bytes: slot_bytes as usize,
                slots: vec![SlabSlot { generation: 0, content: None }; slots as usize],
                // The next to be taken is the last.
                free: (0..slots).rev().collect(),
            },
        };
        Self { form, created: true }
    }

    /// What it took from its partition.
    pub fn cost(&self) -> u64 {
        match &self.form {
            Form::Immutable(bytes) => bytes.len() as u64,
            Form::Append { most, .. } => *most as u64,
            Form::Slab { slot_bytes, slots, .. } => {
                slots.len() as u64 * (*slot_bytes as u64 + SLAB_SLOT)
            }
        }
    }

    pub fn size(&self) -> u64 {
        match &self.form {
            Form::Immutable(bytes) | Form::Append { bytes, .. } => bytes.len() as u64,
            Form::Slab { slot_bytes, slots, .. } => (slot_bytes * slots.len()) as u64,
        }
    }

    /// Everything from the offset on, or in the slot.
    pub fn read(&self, offset: u64) -> Result<Vec<u8>, Error> {
        match &self.form {
            Form::Immutable(bytes) | Form::Append { bytes, .. } => {
                let offset = usize::try_from(offset).map_err(|_| Error::OutOfRange)?;
                bytes.get(offset..).map(<[u8]>::to_vec).ok_or(Error::OutOfRange)
            }
            Form::Slab { slots, .. } => {
                let at = slot(slots, offset)?;
                Ok(slots[at].content.clone().expect("it is taken"))
            }
        }
    }

    pub fn append(&mut self, new: &[u8]) -> Result<u64, Error> {
        match &mut self.form {
            Form::Immutable(_) => Err(Error::WrongMode),
            Form::Append { bytes, most } => {
                if bytes.len() + new.len() > *most {
                    return Err(Error::RegionFull);
                }
                let begins = bytes.len() as u64;
                bytes.extend(new);
                Ok(begins)
            }
            Form::Slab { slot_bytes, slots, free } => {
                let number = *free.last().ok_or(Error::RegionFull)?;
                if new.len() > *slot_bytes {
                    return Err(Error::OutOfRange);
                }
                free.pop();
                let slot = &mut slots[number as usize];
                slot.content = Some(new.to_vec());
                Ok(u64::from(slot.generation) << 32 | u64::from(number))
            }
        }
    }

    pub fn write(&mut self, handle: u64, new: &[u8]) -> Result<(), Error> {
        let Form::Slab { slot_bytes, slots, .. } = &mut self.form else {
            return Err(Error::WrongMode);
        };
        let at = slot(slots, handle)?;
        if new.len() > *slot_bytes {
            return Err(Error::OutOfRange);
        }
        slots[at].content = Some(new.to_vec());
        Ok(())
    }

    pub fn free(&mut self, handle: u64) -> Result<(), Error> {
        let Form::Slab { slots, free, .. } = &mut self.form else { return Err(Error::WrongMode) };
        let at = slot(slots, handle)?;
        slots[at] = SlabSlot { generation: slots[at].generation + 1, content: None };
        free.push(at as u32);
        Ok(())
    }

    /// Whether these bytes are there for good.
    pub fn settled(&self, offset: u64, length: u64) -> Result<(), Error> {
        if let Form::Slab { .. } = self.form {
            return Err(Error::WrongMode);
        }
        match offset.checked_add(length) {
            Some(end) if end <= self.size() => Ok(()),
            _ => Err(Error::OutOfRange),
        }
    }
}

fn slot(slots: &[SlabSlot], handle: u64) -> Result<usize, Error> {
    let at = (handle & 0xffff_ffff) as usize;
    let slot = slots.get(at).ok_or(Error::OutOfRange)?;
    let is_it = slot.content.is_some() && u64::from(slot.generation) == handle >> 32;
    if is_it { Ok(at) } else { Err(Error::StaleSlot) }
}
