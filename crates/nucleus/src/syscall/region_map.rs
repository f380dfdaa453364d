//! region_map: create a region, or copy between one and the caller's memory.
//!
//! Right: READ to read, WRITE to append or write; WRITE on a memory
//! capability to create. Effect of reading: as many bytes as fit are copied,
//! from the offset on; with an empty window the result is the region's size.
//! Error: OutOfRange for an offset beyond the end. Creating, appending and
//! writing are not in this build.

use super::{Context, Done, Effect};
use crate::world::World;
use abi::Error;

pub(super) fn read(
    world: &World,
    context: &Context<'_>,
    offset: u64,
    into: &mut [u8],
) -> Result<Effect, Error> {
    let region = world.objects.region(context.authorised.object())?;
    if into.is_empty() {
        let result = i64::try_from(region.len()).map_err(|_| Error::OutOfRange)?;
        return Ok(Effect::Done(Done { result, ..Done::default() }));
    }
    let offset = usize::try_from(offset).map_err(|_| Error::OutOfRange)?;
    let from = region.get(offset..).ok_or(Error::OutOfRange)?;
    let count = from.len().min(into.len());
    let from = from.get(..count).unwrap_or_default();
    let length = u32::try_from(count).map_err(|_| Error::BadLength)?;
    if let Some(into) = into.get_mut(..count) {
        into.copy_from_slice(from);
    }
    let digest = if count == 0 { [0; 32] } else { world.hasher.hash(from) };
    Ok(Effect::Done(Done { result: i64::from(length), length, digest, cause: None }))
}

pub(super) fn change() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
