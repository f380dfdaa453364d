//! Attacks on capabilities.

use crate::calls;
use crate::program::{Attack, LETTERS, OWN, SANDBOX, TIMER, TO_PROVER};
use agents::protocol::kind::LETTER;
use sdk::{Approval, EVER, Error, GrantArguments, Handle, Queue, Rights};

const WRITE: Rights = Rights::WRITE;
const GRANT: Rights = Rights::GRANT;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "a forged handle",
        expected: Error::BadHandle,
        attempt: |_| Ok(Queue(Handle::new(63, 9)).send(LETTER, 0, b"?").into()),
    },
    Attack {
        name: "a handle whose slot was given up",
        expected: Error::StaleHandle,
        attempt: |_| {
            let letters = letters(WRITE)?;
            letters.give_up()?;
            Ok(letters.send(LETTER, 0, b"?").into())
        },
    },
    Attack {
        name: "a queue that is a timer",
        expected: Error::WrongKind,
        attempt: |_| Ok(Queue(TIMER.0).receive(0, &mut [0; 64]).into()),
    },
    Attack {
        name: "reading what others send to the prover",
        expected: Error::MissingRight,
        attempt: |_| Ok(TO_PROVER.receive(0, &mut [0; 64]).into()),
    },
    Attack {
        name: "approving without the right to prove",
        expected: Error::MissingRight,
        attempt: |_| {
            let terms = Approval { old_leaf: sdk::leaf(&[]), expiry: EVER };
            Ok(SANDBOX.approve(0, &[0; 32], &terms).into())
        },
    },
    Attack {
        name: "ending a task without the right to revoke",
        expected: Error::MissingRight,
        attempt: |_| Ok(OWN.kill().into()),
    },
    Attack {
        name: "a grant of a right not held",
        expected: Error::Amplification,
        attempt: |_| Ok(LETTERS.grant(&OWN.terms(WRITE | Rights::READ)).into()),
    },
    Attack {
        name: "a grant that outlives the giver's",
        expected: Error::Amplification,
        attempt: |_| {
            let now = TIMER.now()?;
            let short = GrantArguments { expiry: now + 50_000_000, ..OWN.terms(WRITE | GRANT) };
            let letters = Queue(LETTERS.grant(&short)?);
            let long = GrantArguments { expiry: now + 50_000_001, ..OWN.terms(WRITE) };
            Ok(letters.grant(&long).into())
        },
    },
    Attack {
        name: "passing on what may be granted once",
        expected: Error::MissingRight,
        attempt: |_| {
            let once = letters(WRITE | Rights::GRANT_ONCE)?;
            let last = Queue(once.grant(&OWN.terms(WRITE))?);
            Ok(last.grant(&OWN.terms(WRITE)).into())
        },
    },
    Attack {
        name: "a ninth derivation",
        expected: Error::TooDeep,
        attempt: |_| {
            // The planner's grant was the first.
            let mut deepest = LETTERS;
            for _ in 2..=8 {
                deepest = Queue(deepest.grant(&OWN.terms(WRITE | GRANT))?);
            }
            Ok(deepest.grant(&OWN.terms(WRITE | GRANT)).into())
        },
    },
    Attack {
        name: "use after revocation",
        expected: Error::Revoked,
        attempt: |_| {
            let derived = letters(WRITE | GRANT)?;
            let further = Queue(derived.grant(&OWN.terms(WRITE))?);
            LETTERS.revoke()?;
            Ok(further.send(LETTER, 0, b"?").into())
        },
    },
    Attack {
        name: "one use more than granted",
        expected: Error::Exhausted,
        attempt: |_| {
            let letters = Queue(LETTERS.grant(&GrantArguments { uses: 1, ..OWN.terms(WRITE) })?);
            letters.send(LETTER, 0, b"once")?;
            Ok(letters.send(LETTER, 0, b"twice").into())
        },
    },
    Attack {
        name: "use after expiry",
        expected: Error::Expired,
        attempt: |_| {
            let expiry = TIMER.now()? + 1_000_000;
            let letters = Queue(LETTERS.grant(&GrantArguments { expiry, ..OWN.terms(WRITE) })?);
            TIMER.wait_until(expiry)?;
            Ok(letters.send(LETTER, 0, b"?").into())
        },
    },
    Attack {
        name: "an operation that there is not",
        expected: Error::BadOperation,
        attempt: |_| Ok(calls::cap_grant(LETTERS.0.0, 9).into()),
    },
];

/// Another capability of its own for the queue of letters.
fn letters(rights: Rights) -> Result<Queue, Error> {
    LETTERS.grant(&OWN.terms(rights)).map(Queue)
}
