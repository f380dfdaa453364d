//! The messages between the agents.
//!
//! All integers little-endian, each message of one length. A message's type
//! says which it is; the badge of the capability it was sent with says whose.

/// Numbers in a vector: a month each.
pub const DIMENSION: usize = 12;

/// A vector.
pub type Vector = [f32; DIMENSION];

/// Types of messages.
pub mod kind {
    /// Everything is granted: begin. From the planner; empty.
    pub const GO: u32 = 1;
    /// The memory service's mailbox has this handle. From it; a u32.
    pub const INTRODUCE: u32 = 2;
    /// May this be written? To the prover; an [`Ask`](super::Ask).
    pub const ASK: u32 = 3;
    /// What the prover says; a [`Granted`](super::Granted).
    pub const GRANTED: u32 = 4;
    /// Write this. To the memory service; a [`Put`](super::Put).
    pub const PUT: u32 = 5;
    /// What came of it; a [`Done`](super::Done).
    pub const DONE: u32 = 6;
    /// Which are nearest? To the memory service; a vector.
    pub const NEAREST: u32 = 7;
    /// Those; a list of 16 bytes each, as the kernel gives them.
    pub const NEIGHBOURS: u32 = 8;
    /// A year is in memory. To the keeper of claims; a [`Put`](super::Put).
    pub const STORED: u32 = 9;
    /// There is no more to come. Empty.
    pub const SHUTDOWN: u32 = 10;
    /// The one type that the queue `letters` takes.
    pub const LETTER: u32 = 11;
}

/// Badges: who sends.
pub mod badge {
    /// The feed.
    pub const FEED: u64 = 1;
    /// The keeper of claims.
    pub const CLAIMS: u64 = 2;
    /// The memory service.
    pub const MEMORY: u64 = 3;
    /// The prover.
    pub const PROVER: u64 = 4;
    /// The hostile task.
    pub const HOSTILE: u64 = 5;
    /// The planner sends with what the manifest gave it, which has none.
    pub const PLANNER: u64 = 0;
}

/// A store that proofs are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Place {
    /// Vectors of years.
    Years = 1,
    /// Vectors that nobody relies on.
    Sandbox = 2,
    /// The graph of claims.
    Graph = 3,
}

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    /// A vector.
    Vector {
        /// Its key.
        key: u64,
        /// Its numbers.
        vector: Vector,
    },
    /// A node.
    Node(u64),
    /// An edge.
    Edge {
        /// Where it begins.
        from: u64,
        /// Where it ends.
        to: u64,
        /// How alike its ends are.
        weight: f32,
    },
}

/// May this be written?
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask {
    /// Where.
    pub place: Place,
    /// Until when the proof shall hold.
    pub expiry: u64,
    /// What.
    pub wish: Wish,
}

impl Ask {
    /// Length in bytes.
    pub const SIZE: usize = 80;

    /// Layout: place u32, wish u32 (1 vector, 2 node, 3 edge), expiry u64, key
    /// or from u64, to u64, vector or weight f32, zeros.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let (tag, from, to, vector) = match self.wish {
            Wish::Vector { key, vector } => (1u32, key, 0, vector),
            Wish::Node(key) => (2, key, 0, [0.0; DIMENSION]),
            Wish::Edge { from, to, weight } => {
                let mut numbers = [0.0; DIMENSION];
                numbers[0] = weight;
                (3, from, to, numbers)
            }
        };
        bytes[0..4].copy_from_slice(&(self.place as u32).to_le_bytes());
        bytes[4..8].copy_from_slice(&tag.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.expiry.to_le_bytes());
        bytes[16..24].copy_from_slice(&from.to_le_bytes());
        bytes[24..32].copy_from_slice(&to.to_le_bytes());
        bytes[32..].copy_from_slice(&vector_to_bytes(&vector));
        bytes
    }

    /// The inverse; `None` for what is no question.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::SIZE] = bytes.try_into().ok()?;
        let place = match word(bytes, 0)? {
            1 => Place::Years,
            2 => Place::Sandbox,
            3 => Place::Graph,
            _ => return None,
        };
        let (from, to) = (long(bytes, 16)?, long(bytes, 24)?);
        let vector = vector_from_bytes(bytes.get(32..)?)?;
        let wish = match word(bytes, 4)? {
            1 => Wish::Vector { key: from, vector },
            2 => Wish::Node(from),
            3 => Wish::Edge { from, to, weight: *vector.first()? },
            _ => return None,
        };
        Some(Self { place, expiry: long(bytes, 8)?, wish })
    }
}

/// What the prover says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// 0, the number of an error, or [`Granted::NOT_ALLOWED`].
    pub status: u32,
    /// The slot that the proof is for.
    pub slot: u32,
    /// The proof, as a handle of the task that is to use it.
    pub proof: u32,
}

impl Granted {
    /// The policy does not allow it.
    pub const NOT_ALLOWED: u32 = 0xffff;

    /// Layout: status, slot, proof u32.
    pub fn to_bytes(&self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[0..4].copy_from_slice(&self.status.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.slot.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.proof.to_le_bytes());
        bytes
    }

    /// The inverse.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let whole = bytes.len() == 12;
        let (status, slot, proof) = (word(bytes, 0)?, word(bytes, 4)?, word(bytes, 8)?);
        whole.then_some(Self { status, slot, proof })
    }
}

/// Write this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Put {
    /// The proof, as a handle of the memory service.
    pub proof: u32,
    /// The slot that it is for.
    pub slot: u32,
    /// Key of the vector.
    pub key: u64,
    /// The vector.
    pub vector: Vector,
}

impl Put {
    /// Length in bytes.
    pub const SIZE: usize = 64;

    /// Layout: proof u32, slot u32, key u64, vector.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[0..4].copy_from_slice(&self.proof.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.slot.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.key.to_le_bytes());
        bytes[16..].copy_from_slice(&vector_to_bytes(&self.vector));
        bytes
    }

    /// The inverse.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            proof: word(bytes, 0)?,
            slot: word(bytes, 4)?,
            key: long(bytes, 8)?,
            vector: vector_from_bytes(bytes.get(16..)?)?,
        })
    }
}

/// What came of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// 0, or the number of an error.
    pub status: u32,
    /// The memory service's subject is not known to it; the sequence number
    /// of its record of the put is.
    pub sequence: u32,
}

impl Done {
    /// Layout: status, sequence u32.
    pub fn to_bytes(&self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[0..4].copy_from_slice(&self.status.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes
    }

    /// The inverse.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let whole = bytes.len() == 8;
        let (status, sequence) = (word(bytes, 0)?, word(bytes, 4)?);
        whole.then_some(Self { status, sequence })
    }
}

/// A vector as it lies in a message.
pub fn vector_to_bytes(vector: &Vector) -> [u8; 4 * DIMENSION] {
    let mut bytes = [0; 4 * DIMENSION];
    for (room, number) in bytes.chunks_exact_mut(4).zip(vector) {
        room.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// The inverse; `None` for another length.
pub fn vector_from_bytes(bytes: &[u8]) -> Option<Vector> {
    let bytes: &[u8; 4 * DIMENSION] = bytes.try_into().ok()?;
    let mut vector = [0.0; DIMENSION];
    for (number, bytes) in vector.iter_mut().zip(bytes.as_chunks().0) {
        *number = f32::from_le_bytes(*bytes);
    }
    Some(vector)
}

/// The u32 at this place.
pub fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_round_trip_and_have_one_length() {
        let mut vector = [0.5; DIMENSION];
        vector[11] = -2.0;
        let wishes = [
            Wish::Vector { key: 1 << 40, vector },
            Wish::Node(7),
            Wish::Edge { from: 1, to: 2, weight: 0.25 },
        ];
        for (wish, place) in wishes.into_iter().zip([Place::Years, Place::Sandbox, Place::Graph]) {
            let ask = Ask { place, expiry: 9, wish };
            assert_eq!(Ask::from_bytes(&ask.to_bytes()), Some(ask));
            assert_eq!(Ask::from_bytes(&ask.to_bytes()[1..]), None);
        }
        let put = Put { proof: 1, slot: 2, key: 3, vector };
        assert_eq!(Put::from_bytes(&put.to_bytes()), Some(put));
        assert_eq!(Put::from_bytes(&put.to_bytes()[..63]), None);
        let granted = Granted { status: 1, slot: 2, proof: 3 };
        assert_eq!(Granted::from_bytes(&granted.to_bytes()), Some(granted));
        let done = Done { status: 1, sequence: 2 };
        assert_eq!(Done::from_bytes(&done.to_bytes()), Some(done));
        assert_eq!(Done::from_bytes(&granted.to_bytes()), None);
    }
}
