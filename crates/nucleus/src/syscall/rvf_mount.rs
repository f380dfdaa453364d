//! rvf_mount: make components, queues and regions from a signed package.
//!
//! Right: MOUNT on a namespace, READ on the region that holds the file.
//! Proof: the file's signature by a trusted operator. Effect, in the second
//! pass: the objects are there, named `path/name`, in a partition under the
//! caller's; the caller gets a capability for each of them, in a row:
//! components, regions, queues. The result is the first handle. Tasks that
//! the manifest lists are started for packages that the kernel mounts: the root
//! package, and those that an operator hands it. Errors: those of
//! reading packages; AlreadyExists, BadArgument for a path that is no name,
//! TableFull, TooDeep.
//!
//! Unmount. Right: MOUNT on the namespace. Effect, in the second pass: what
//! the package made is gone, and every capability for it dead; the memory it
//! took is given back. Errors: NotFound, Busy while a task of the package or
//! a package that it mounted is there; BadArgument for the root package.

use super::{Context, Effect};
use crate::{
    evidence,
    partition::{NESTING_MAX, Partition},
    task::Task,
    ticket::Work,
    world::World,
};
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
    let file = match region {
        Some(handle) => {
            if !is_name(path) {
                return Err(Error::BadArgument);
            }
            let region =
                evidence::authorise_also(world, subject, handle, Kind::Region, Rights::READ)?;
            Some(region.object())
        }
        None if subject == Subject::KERNEL && (path == ROOT || is_name(path)) => None,
        None => return Err(Error::BadArgument),
    };
    if world.is_mounted(path) {
        return Err(Error::AlreadyExists);
    }
    if world.partitions.depth(world.partition_of(subject)) >= NESTING_MAX {
        return Err(Error::TooDeep);
    }
    Ok(Effect::Prepare(Work::Mount { region: file, held_as: region }))
}

pub(super) fn unmount(world: &World, context: &Context<'_>, path: &str) -> Result<Effect, Error> {
    if path == ROOT {
        return Err(Error::BadArgument);
    }
    let caller = world.partition_of(context.subject);
    let mut mounted = world.partitions.iter();
    // What a task mounted, its partition unmounts.
    let found = mounted.find(|(_, it)| it.is_mounted && it.path == path && it.parent == caller);
    let (partition, _) = found.ok_or(Error::NotFound)?;
    let is_of = |task: &Task| task.partition == Some(partition) && task.state().is_alive();
    let is_below = |it: &Partition| it.is_mounted && it.parent == Some(partition);
    let is_busy =
        world.tasks().iter().any(is_of) || world.partitions.iter().any(|(_, it)| is_below(it));
    if is_busy { Err(Error::Busy) } else { Ok(Effect::Prepare(Work::Unmount { partition })) }
}
