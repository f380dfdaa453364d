//! Attacks on objects and budgets.

use crate::program::{ALLOWANCE, Attack, ITSELF, LETTERS, LOG, PACKAGES, TABLE, TIMER, TO_PROVER};
use agents::protocol::kind::LETTER;
use sdk::{Error, Region, Slab, SlabSlot, SpawnArguments};

/// Most messages that a flood may take.
const FLOOD: u32 = 1_000;

/// The one type of claim that nothing approves.
const CLAIM: u32 = 99;

/// A package that nobody signed: one segment, with an empty manifest.
const UNSIGNED: [u8; 128] = {
    let mut file = [0; 128];
    // Magic, version, segment type; id, payload length; checksum algorithm;
    // alignment pad; payload.
    let fields = [
        (0, 0x53),
        (1, 0x46),
        (2, 0x56),
        (3, 0x52),
        (4, 1),
        (5, 0x07),
        (8, 1),
        (16, 2),
        (32, 1),
        (60, 62),
        (64, b'{'),
        (65, b'}'),
    ];
    let mut at = 0;
    while at < fields.len() {
        file[fields[at].0] = fields[at].1;
        at += 1;
    }
    file
};

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "a slot of a slab that was freed and reused",
        expected: Error::StaleSlot,
        attempt: |_| {
            let slab = ALLOWANCE.slab(16, 1)?;
            let slot = slab.take(b"mine")?;
            slab.free(slot)?;
            slab.take(b"another's")?;
            Ok(slab.read(slot, &mut [0; 16]).into())
        },
    },
    Attack {
        name: "rewriting what was appended",
        expected: Error::WrongMode,
        attempt: |_| {
            let region = ALLOWANCE.append_only(64)?;
            region.append(b"what was said")?;
            Ok(Slab(region.0).write(SlabSlot(0), b"something else").into())
        },
    },
    Attack {
        name: "sharing what can be changed afterwards",
        expected: Error::WrongMode,
        attempt: |_| {
            let slab = ALLOWANCE.slab(16, 1)?;
            slab.take(b"checked")?;
            Ok(LETTERS.share(LETTER, 0, Region(slab.0), 0, 7).into())
        },
    },
    Attack {
        name: "reading past the end of a region",
        expected: Error::OutOfRange,
        attempt: |_| Ok(TABLE.read(u64::MAX - 1, &mut [0; 16]).into()),
    },
    Attack {
        name: "more memory than the package has",
        expected: Error::ByteBudget,
        attempt: |_| Ok(ALLOWANCE.append_only(1 << 30).into()),
    },
    Attack {
        name: "a message of the wrong type",
        expected: Error::WrongType,
        attempt: |_| Ok(LETTERS.send(LETTER + 1, 0, b"?").into()),
    },
    Attack {
        name: "flooding the prover's queue",
        expected: Error::QueueFull,
        attempt: |_| {
            let mut result = Ok(());
            for _ in 0..FLOOD {
                result = TO_PROVER.send(0, 255, &[0; 192]);
                if result.is_err() {
                    break;
                }
            }
            Ok(result.into())
        },
    },
    Attack {
        name: "a task with more fuel than its parent",
        expected: Error::OverBudget,
        attempt: |_| {
            let arguments = SpawnArguments {
                fuel: u64::MAX,
                memory: 512 << 10,
                priority: 255,
                deadline: 0,
                capabilities: 0,
                is_reactor: false,
            };
            Ok(ITSELF.spawn(arguments, &[]).into())
        },
    },
    Attack {
        name: "a package that nobody signed",
        expected: Error::Unsigned,
        attempt: |_| Ok(PACKAGES.mount(ALLOWANCE.immutable(&UNSIGNED)?, "trojan").into()),
    },
    Attack {
        name: "a claim that nothing approves",
        expected: Error::NotApproved,
        attempt: |_| Ok(LOG.claim(CLAIM, &[0; 32], b"the years are mine").into()),
    },
    Attack {
        name: "a wait beyond the end of time",
        expected: Error::BadArgument,
        attempt: |_| Ok(TIMER.wait(u64::MAX).into()),
    },
];
