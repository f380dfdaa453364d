//! From bytes to a record, refusing whatever is not the one encoding of it.

use super::{
    Body, HEADER_SIZE, Kind, Point, RECORD_MAX, Record, Subject, VERSION, Verdict, bytes::Reader,
};
use abi::{Error, Stage};
use core::fmt;

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Shorter than a header, or longer than a record can be.
    Length(usize),
    /// Of another version.
    Version(u8),
    /// Of no kind there is.
    Kind(u8),
    /// Outcome, stage and reason do not fit together, or not the kind.
    Verdict,
    /// The body is not as long as the header or the kind says.
    BodyLength,
    /// A byte that must be zero is not.
    Padding,
    /// The kind cannot have this subject.
    Subject(u32),
    /// A header field of genesis or machine record that must be zero is not.
    FirstHeader,
    /// A field of the body has a value without meaning.
    Field(&'static str),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "a record cannot be {length} bytes long"),
            Self::Version(version) => write!(f, "record version {version} is not known"),
            Self::Kind(kind) => write!(f, "record kind {kind:#04x} is not known"),
            Self::Verdict => f.write_str("outcome, stage and reason do not fit together"),
            Self::BodyLength => f.write_str("the body has the wrong length"),
            Self::Padding => f.write_str("a byte that must be zero is not"),
            Self::Subject(subject) => write!(f, "the kind cannot have subject {subject:#x}"),
            Self::FirstHeader => f.write_str("a header field that must be zero is not"),
            Self::Field(field) => write!(f, "no meaning: {field}"),
        }
    }
}

impl core::error::Error for RecordError {}

impl<'a> Record<'a> {
    /// The record that these bytes are.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, RecordError> {
        if bytes.len() < HEADER_SIZE || bytes.len() > RECORD_MAX {
            return Err(RecordError::Length(bytes.len()));
        }
        let (header, body) = bytes.split_at(HEADER_SIZE);
        let mut header = Reader(header);
        match header.u8()? {
            VERSION => {}
            other => return Err(RecordError::Version(other)),
        }
        let number = header.u8()?;
        let kind = Kind::from_number(number).ok_or(RecordError::Kind(number))?;
        let verdict = verdict(kind, header.u8()?, header.u8()?, header.u16()?)?;
        if usize::from(header.u16()?) != body.len() {
            return Err(RecordError::BodyLength);
        }
        let subject = Subject(header.u32()?);
        let sequence = header.u32()?;
        let point = Point { time_ns: header.u64()?, slice: header.u64()?, fuel: header.u64()? };
        let previous = header.array()?;
        let cause = Some(header.array()?).filter(|cause| *cause != [0; 32]);

        check_subject(kind, subject)?;
        let is_first = sequence == 0 && point == Point::default() && cause.is_none();
        match kind {
            Kind::Genesis if !is_first || previous != [0; 32] => {
                return Err(RecordError::FirstHeader);
            }
            Kind::Machine if !is_first => return Err(RecordError::FirstHeader),
            _ => {}
        }
        let mut body = Reader(body);
        let decoded = Body::decode(kind, verdict, &mut body)?;
        body.end()?;
        Ok(Self { verdict, subject, sequence, point, previous, cause, body: decoded })
    }
}

fn verdict(kind: Kind, outcome: u8, stage: u8, reason: u16) -> Result<Verdict, RecordError> {
    let verdict = match (outcome, reason, Error::from_number(reason)) {
        (0, 0, _) => Verdict::Allowed,
        (2, _, Some(Error::CutShort)) => Verdict::CutShort,
        (1, _, Some(error)) if error != Error::CutShort => Verdict::Denied(error),
        _ => return Err(RecordError::Verdict),
    };
    let may_be = verdict == Verdict::Allowed || matches!(kind, Kind::Call(_));
    if may_be && Stage::from_number(stage) == Some(verdict.stage()) {
        Ok(verdict)
    } else {
        Err(RecordError::Verdict)
    }
}

fn check_subject(kind: Kind, subject: Subject) -> Result<(), RecordError> {
    let fits = match kind {
        Kind::Genesis => subject == Subject::KERNEL,
        Kind::Machine => subject == Subject::MACHINE,
        Kind::Event | Kind::Continuation => subject == Subject::OUTSIDE,
        Kind::Call(_) | Kind::StateRoot => subject == Subject::KERNEL || subject.is_task(),
        Kind::Trap | Kind::OutOfFuel | Kind::Exit | Kind::Guard | Kind::BudgetSpent => {
            subject.is_task()
        }
    };
    if fits { Ok(()) } else { Err(RecordError::Subject(subject.0)) }
}
