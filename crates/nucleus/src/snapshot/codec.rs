//! The form of a snapshot: numbers little-endian, lengths before lists,
//! variants by number, nothing left out and nothing twice.

use crate::world::Verify;
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use witness::{Hasher, Log, Reservation};

/// Bytes of a page: what a snapshot is cut into.
pub const PAGE: usize = 4_096;

/// Takes a snapshot down, and gives it away page by page.
pub struct Writer<'a> {
    page: Vec<u8>,
    emit: &'a mut dyn FnMut(&[u8]),
}

impl<'a> Writer<'a> {
    /// A writer that gives each page to `emit`: [`PAGE`] bytes, but for the
    /// last one.
    pub fn new(emit: &'a mut dyn FnMut(&[u8])) -> Self {
        Self { page: Vec::with_capacity(PAGE), emit }
    }

    /// Writes bytes as they are.
    pub fn bytes(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = PAGE.saturating_sub(self.page.len());
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            if now.len() == PAGE {
                (self.emit)(now);
            } else {
                self.page.extend_from_slice(now);
                self.turn();
            }
            bytes = later;
        }
    }

    /// Writes a list, at a page of its own if it is long.
    pub fn list<T: Saved>(&mut self, list: &[T]) {
        self.list_in_parts(list.len(), core::iter::once(list));
    }

    /// The same for one that lies in parts, which have `count` items together.
    pub fn list_in_parts<'p, T: Saved + 'p>(
        &mut self,
        count: usize,
        parts: impl Iterator<Item = &'p [T]>,
    ) {
        count.save(self);
        if count >= PAGE {
            self.align();
        }
        parts.for_each(|part| T::save_all(part, self));
    }

    /// Begins a page, with zeros before it.
    pub fn align(&mut self) {
        if !self.page.is_empty() {
            self.page.resize(PAGE, 0);
            self.turn();
        }
    }

    /// Gives the last page away.
    pub fn finish(self) {
        if !self.page.is_empty() {
            (self.emit)(&self.page);
        }
    }

    fn turn(&mut self) {
        if self.page.len() >= PAGE {
            (self.emit)(&self.page);
            self.page.clear();
        }
    }
}

/// Reads a snapshot.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    surroundings: Option<Surroundings>,
}

/// What a state has from where it runs.
struct Surroundings {
    log: Log,
    hasher: Hasher,
    signature_holds: Verify,
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, surroundings: None }
    }

    /// The next bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// Goes to where the next page begins; `None` if there is anything but
    /// zeros before it.
    pub fn align(&mut self) -> Option<()> {
        let zeros = self.at.next_multiple_of(PAGE).saturating_sub(self.at);
        self.bytes(zeros)?.iter().all(|byte| *byte == 0).then_some(())
    }

    /// Whether everything was read.
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Bytes that are left.
    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(super) fn begin(&mut self, log: Log, hasher: Hasher, signature_holds: Verify) {
        self.surroundings = Some(Surroundings { log, hasher, signature_holds });
    }

    pub(super) fn end(&mut self) -> Option<Log> {
        self.surroundings.take().map(|it| it.log)
    }

    /// SHA-256 as this machine does it best.
    pub(crate) fn hasher(&self) -> Option<Hasher> {
        self.surroundings.as_ref().map(|it| it.hasher)
    }

    /// Ed25519.
    pub(crate) fn signature_holds(&self) -> Option<Verify> {
        self.surroundings.as_ref().map(|it| it.signature_holds)
    }

    /// A slot of the log.
    pub(super) fn reserve(&mut self) -> Option<Reservation> {
        self.surroundings.as_mut()?.log.reserve()
    }
}

/// What a snapshot can hold.
pub trait Saved: Sized {
    /// Writes it down.
    fn save(&self, to: &mut Writer<'_>);

    /// Reads one back; `None` if there is none.
    fn load(from: &mut Reader<'_>) -> Option<Self>;

    /// Writes many.
    fn save_all(all: &[Self], to: &mut Writer<'_>) {
        for one in all {
            one.save(to);
        }
    }

    /// Reads many. Each takes a byte at least.
    fn load_all(count: usize, from: &mut Reader<'_>) -> Option<Vec<Self>> {
        if count > from.left() {
            return None;
        }
        // What the rest of them take is seen when they are there.
        let mut all = Vec::with_capacity(count.min(PAGE));
        for _ in 0..count {
            all.push(Self::load(from)?);
        }
        Some(all)
    }
}

fn load_list<T: Saved>(from: &mut Reader<'_>) -> Option<Vec<T>> {
    let count = usize::load(from)?;
    if count >= PAGE {
        from.align()?;
    }
    T::load_all(count, from)
}

impl Saved for u8 {
    fn save(&self, to: &mut Writer<'_>) {
        to.bytes(&[*self]);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        from.bytes(1)?.first().copied()
    }

    fn save_all(all: &[Self], to: &mut Writer<'_>) {
        to.bytes(all);
    }

    fn load_all(count: usize, from: &mut Reader<'_>) -> Option<Vec<Self>> {
        from.bytes(count).map(Vec::from)
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Saved for $number {
            fn save(&self, to: &mut Writer<'_>) {
                to.bytes(&self.to_le_bytes());
            }

            fn load(from: &mut Reader<'_>) -> Option<Self> {
                from.bytes(size_of::<Self>())?.first_chunk().map(|it| Self::from_le_bytes(*it))
            }
        }
    )*};
}

numbers!(u16 u32 u64 i32 i64 f32);

impl Saved for usize {
    fn save(&self, to: &mut Writer<'_>) {
        // No target has more than 64 bits.
        u64::try_from(*self).unwrap_or(u64::MAX).save(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        u64::load(from)?.try_into().ok()
    }
}

impl Saved for bool {
    fn save(&self, to: &mut Writer<'_>) {
        u8::from(*self).save(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        match u8::load(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<T: Saved> Saved for Option<T> {
    fn save(&self, to: &mut Writer<'_>) {
        self.is_some().save(to);
        if let Some(content) = self {
            content.save(to);
        }
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some(if bool::load(from)? { Some(T::load(from)?) } else { None })
    }
}

impl<A: Saved, B: Saved> Saved for (A, B) {
    fn save(&self, to: &mut Writer<'_>) {
        self.0.save(to);
        self.1.save(to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::load(from)?, B::load(from)?))
    }
}

impl<T: Saved, const N: usize> Saved for [T; N] {
    fn save(&self, to: &mut Writer<'_>) {
        T::save_all(self, to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        T::load_all(N, from)?.try_into().ok()
    }
}

impl<T: Saved> Saved for Vec<T> {
    fn save(&self, to: &mut Writer<'_>) {
        to.list(self);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        load_list(from)
    }
}

impl<T: Saved> Saved for Box<[T]> {
    fn save(&self, to: &mut Writer<'_>) {
        to.list(self);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        load_list(from).map(Vec::into_boxed_slice)
    }
}

impl<T: Saved> Saved for Box<T> {
    fn save(&self, to: &mut Writer<'_>) {
        T::save(self, to);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        T::load(from).map(Box::new)
    }
}

impl Saved for Arc<[u8]> {
    fn save(&self, to: &mut Writer<'_>) {
        to.list(self);
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        load_list(from).map(Arc::from)
    }
}

impl Saved for String {
    fn save(&self, to: &mut Writer<'_>) {
        to.list(self.as_bytes());
    }

    fn load(from: &mut Reader<'_>) -> Option<Self> {
        Self::from_utf8(load_list(from)?).ok()
    }
}

/// Writes a type down part by part. Each of its parts must be named, in
/// either direction, or it does not compile.
#[macro_export]
macro_rules! saved {
    (struct $name:ident $(<$part:ident>)? { $($field:ident),* $(,)? }) => {
        impl $(<$part: $crate::snapshot::Saved>)? $crate::snapshot::Saved for $name $(<$part>)? {
            fn save(&self, to: &mut $crate::snapshot::Writer<'_>) {
                let Self { $($field),* } = self;
                $($crate::snapshot::Saved::save($field, to);)*
            }

            fn load(from: &mut $crate::snapshot::Reader<'_>) -> Option<Self> {
                Some(Self { $($field: $crate::snapshot::Saved::load(from)?),* })
            }
        }
    };
    (new $name:ident) => {
        impl $crate::snapshot::Saved for $name {
            fn save(&self, to: &mut $crate::snapshot::Writer<'_>) {
                $crate::snapshot::Saved::save(&self.0, to);
            }

            fn load(from: &mut $crate::snapshot::Reader<'_>) -> Option<Self> {
                $crate::snapshot::Saved::load(from).map(Self)
            }
        }
    };
    (enum $name:ident {
        $($number:literal $variant:ident $(($($item:ident),*))? $({ $($field:ident),* })?),* $(,)?
    }) => {
        impl $crate::snapshot::Saved for $name {
            fn save(&self, to: &mut $crate::snapshot::Writer<'_>) {
                match self {$(
                    Self::$variant $(($($item),*))? $({ $($field),* })? => {
                        $crate::snapshot::Saved::save(&($number as u8), to);
                        $($($crate::snapshot::Saved::save($item, to);)*)?
                        $($($crate::snapshot::Saved::save($field, to);)*)?
                    }
                )*}
            }

            fn load(from: &mut $crate::snapshot::Reader<'_>) -> Option<Self> {
                match <u8 as $crate::snapshot::Saved>::load(from)? {
                    $($number => {
                        $($(let $item = $crate::snapshot::Saved::load(from)?;)*)?
                        $($(let $field = $crate::snapshot::Saved::load(from)?;)*)?
                        Some(Self::$variant $(($($item),*))? $({ $($field),* })?)
                    })*
                    _ => None,
                }
            }
        }
    };
}

pub use saved;
