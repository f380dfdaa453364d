//! From a draft to bytes, in place.

use super::{
    Body, Draft, EVENT_PART, HEADER_SIZE, PROFILE_MAX, RECORD_MAX, Record, TAIL_MAX, VERSION,
    Verdict, bytes::Writer, call,
};
use crate::Hash;
use core::ops::Range;

/// Where the header holds the id of the subject's previous record.
pub(crate) const PREVIOUS: Range<usize> = 40..72;
/// Where the header holds the id of the causing record.
pub(crate) const CAUSE: Range<usize> = 72..HEADER_SIZE;

/// The largest bodies there can be all fit.
const _: () = {
    assert!(HEADER_SIZE + call::FIXED + TAIL_MAX <= RECORD_MAX);
    assert!(HEADER_SIZE + 12 + EVENT_PART <= RECORD_MAX);
    assert!(HEADER_SIZE + 73 + PROFILE_MAX <= RECORD_MAX);
    assert!(PROFILE_MAX <= u8::MAX as usize);
};

/// A record's bytes, in a buffer that holds any record.
#[derive(Clone)]
pub struct Encoded {
    bytes: [u8; RECORD_MAX],
    length: u16,
}

impl Encoded {
    /// No record.
    pub(crate) const EMPTY: Self = Self { bytes: [0; RECORD_MAX], length: 0 };

    /// The record.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Puts the parents' ids into the header.
    pub(crate) fn set_parents(&mut self, previous: &Hash, cause: &Hash) {
        self.bytes[PREVIOUS].copy_from_slice(previous);
        self.bytes[CAUSE].copy_from_slice(cause);
    }
}

impl Draft<'_> {
    /// Writes the record with both parents zero: they get ids at sealing.
    pub(crate) fn encode_into(&self, to: &mut Encoded) {
        // Only a call can be refused.
        let verdict = match self.body {
            Body::Call(_) => self.verdict,
            _ => Verdict::Allowed,
        };
        let mut body = Writer::new(&mut to.bytes[HEADER_SIZE..]);
        self.body.encode(verdict, &mut body);
        let body_length = body.written();

        let mut header = Writer::new(&mut to.bytes[..HEADER_SIZE]);
        header.u8(VERSION);
        header.u8(self.body.kind().number());
        header.u8(verdict.outcome());
        header.u8(verdict.stage() as u8);
        header.u16(verdict.reason().map_or(0, abi::Error::number));
        header.u16(body_length as u16); // at most RECORD_MAX
        header.u32(self.subject.0);
        header.u32(self.sequence);
        header.u64(self.point.time_ns);
        header.u64(self.point.slice);
        header.u64(self.point.fuel);
        header.zeros::<64>();
        to.length = (HEADER_SIZE + body_length) as u16;
    }
}

impl Record<'_> {
    /// The record's bytes: those it was decoded from.
    pub fn encode(&self) -> Encoded {
        let Self { verdict, subject, sequence, point, body, .. } = *self;
        let draft = Draft { verdict, subject, sequence, point, previous: None, cause: None, body };
        let mut encoded = Encoded::EMPTY;
        draft.encode_into(&mut encoded);
        encoded.set_parents(&self.previous, &self.cause.unwrap_or_default());
        encoded
    }
}
