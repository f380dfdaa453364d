//! region_map: create a region, or copy between one and the caller's memory.
//!
//! Create. Right: WRITE on a memory capability. Effect, in the second pass: a
//! region of the wanted mode, paid from the partition's memory; the caller
//! has all rights on it but EXECUTE, PROVE and MOUNT. The result is the
//! handle. Errors: BadArgument, ByteBudget, TableFull.
//!
//! Read. Right: READ. Effect: as many bytes as fit are copied, from the
//! offset on, or of the slot; with an empty window the result is the region's
//! size. Append. Right: WRITE. The result is where the bytes begin, or the
//! new slot's handle. Write, free. Right: WRITE; slabs only. Errors:
//! OutOfRange, WrongMode, RegionFull, StaleSlot.

use super::{Context, Done, Effect, length};
use crate::{
    partition::Resource,
    region::{self, copy},
    ticket::Work,
    world::World,
};
use abi::{Error, RegionMode};

pub(super) fn read(
    world: &mut World,
    context: &Context<'_>,
    offset: u64,
    into: &mut [u8],
) -> Result<Effect, Error> {
    let hasher = world.hasher;
    let region = world.objects.region_mut(context.authorised.object())?;
    if into.is_empty() {
        let result = i64::try_from(region.size()).map_err(|_| Error::OutOfRange)?;
        return Ok(Effect::Done(Done { result, ..Done::default() }));
    }
    let from = region.read(offset)?;
    let from = from.get(..from.len().min(into.len())).unwrap_or_default();
    copy(into, from);
    let length = length(from)?;
    let digest = if from.is_empty() { [0; 32] } else { hasher.hash(from) };
    Ok(Effect::Done(Done { result: i64::from(length), length, digest, cause: None }))
}

pub(super) fn append(
    world: &mut World,
    context: &Context<'_>,
    bytes: &[u8],
) -> Result<Effect, Error> {
    let region = world.objects.region_mut(context.authorised.object())?;
    let begins = region.append(bytes)?;
    moved(world, bytes, i64::try_from(begins).map_err(|_| Error::RegionFull)?)
}

pub(super) fn write(
    world: &mut World,
    context: &Context<'_>,
    slot: u64,
    bytes: &[u8],
) -> Result<Effect, Error> {
    let region = world.objects.region_mut(context.authorised.object())?;
    region.write(slot, bytes)?;
    moved(world, bytes, i64::from(length(bytes)?))
}

pub(super) fn free(world: &mut World, context: &Context<'_>, slot: u64) -> Result<Effect, Error> {
    world.objects.region_mut(context.authorised.object())?.free(slot)?;
    Ok(Effect::Done(Done::default()))
}

pub(super) fn create(
    world: &World,
    context: &Context<'_>,
    mode: RegionMode,
    content: &[u8],
) -> Result<Effect, Error> {
    if mode != RegionMode::Immutable && !content.is_empty() {
        return Err(Error::BadLength);
    }
    let bytes = region::cost(mode)?.saturating_add(u64::from(length(content)?));
    let partition = world.partition_of(context.subject);
    if bytes > world.partitions.left(partition, Resource::Memory) {
        return Err(Error::ByteBudget);
    }
    let has_room = world.task(context.subject).is_some_and(|task| task.space.has_room(1));
    if !has_room || world.objects.room() == 0 {
        return Err(Error::TableFull);
    }
    Ok(Effect::Prepare(Work::Region { mode }))
}

fn moved(world: &World, bytes: &[u8], result: i64) -> Result<Effect, Error> {
    let length = length(bytes)?;
    Ok(Effect::Done(Done { result, length, digest: world.hasher.hash(bytes), cause: None }))
}
