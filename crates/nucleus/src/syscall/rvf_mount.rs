//! rvf_mount: make components, queues and regions from a signed package.
//!
//! Right: MOUNT on a namespace, READ on the region that holds the file.
//! Proof: the file's signature by a trusted operator. Effect, in the second
//! pass: the objects are there, named `path/name`, in a partition under the
//! caller's; the caller gets a capability for each of them, in a row:
//! components, regions, queues. The result is the first handle. Tasks that
//! the manifest lists are started for the root package only. Errors: those of
//! reading packages; AlreadyExists, BadArgument for a path that is no name,
//! TableFull, TooDeep. Unmounting is not in this build.

use super::{Context, Effect};
use crate::{evidence, partition::NESTING_MAX, ticket::Work, world::World};
use abi::{Error, Handle, Kind, Rights};
use package::manifest::is_name;
use witness::Subject;

/// Where the root package is mounted.
pub(crate) const ROOT: &str = "/";

pub(super) fn reserve(
    world: &World,
    context: &Context<'_>,
    region: Option<Handle>,
    path: &str,
) -> Result<Effect, Error> {
    let subject = context.subject;
    let region = match region {
        Some(handle) => {
            if !is_name(path) {
                return Err(Error::BadArgument);
            }
            let region =
                evidence::authorise_also(world, subject, handle, Kind::Region, Rights::READ)?;
            Some(region.object())
        }
        None if subject == Subject::KERNEL && path == ROOT => None,
        None => return Err(Error::BadArgument),
    };
    if world.is_mounted(path) {
        return Err(Error::AlreadyExists);
    }
    if world.partitions.depth(world.partition_of(subject)) >= NESTING_MAX {
        return Err(Error::TooDeep);
    }
    Ok(Effect::Prepare(Work::Mount { region }))
}

pub(super) fn unmount() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
