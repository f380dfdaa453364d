//! The directory of regions, and what is known about each descriptor.

use super::{
    Answered, Call,
    context::{Context, File},
    errno::Errno,
    reply::{Native, Reply, Step},
    state::{Descriptor, PREOPENED},
};
use alloc::vec::Vec;
use nucleus::ObjectId;

/// What a descriptor or an entry of the directory is. The console is a queue,
/// not a terminal, so that C fills its buffer before it writes: a message for
/// each KiB and not for each line.
const UNKNOWN: u8 = 0;
const DIRECTORY: u8 = 3;
const REGULAR_FILE: u8 = 4;

/// Rights of WASI, by bit.
const READ: u64 = 1 << 1;
const SEEK: u64 = 1 << 2;
const SET_FLAGS: u64 = 1 << 3;
const TELL: u64 = 1 << 5;
const WRITE: u64 = 1 << 6;
const OPEN: u64 = 1 << 13;
const READDIR: u64 = 1 << 14;
const PATH_STAT: u64 = 1 << 18;
const STAT: u64 = 1 << 21;
const POLL: u64 = 1 << 27;

/// What a file may be used for.
const OF_FILE: u64 = READ | SEEK | SET_FLAGS | TELL | STAT | POLL;
/// What the directory may.
const OF_DIRECTORY: u64 = SET_FLAGS | OPEN | READDIR | PATH_STAT | STAT;
/// What one can ask for of a file in it. Writing is among it so that who asks
/// is told that nothing here can be written, and not later, by the write.
const ASKABLE: u64 = OF_FILE | WRITE;

/// What path_open is to do beside opening.
const CREATE: u32 = 1;
const MUST_BE_DIRECTORY: u32 = 1 << 1;
const EXCLUSIVE: u32 = 1 << 2;
const TRUNCATE: u32 = 1 << 3;

/// Flags that a descriptor can have. None of them changes anything here.
const FLAGS: u32 = 0b1_1111;

/// Longest path that is looked at, in bytes, as in POSIX.
const PATH_MAX: usize = 4_096;

/// Name of the directory that is open from the start.
const ROOT: &[u8] = b"/";

/// What stands for device and directory where files have their object's
/// number, counted from 2.
const DEVICE: u64 = 1;
const DIRECTORY_NUMBER: u64 = 1;

pub(super) fn fd_close(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    context.state.close(call.word(0))?;
    Ok(Reply::success().into())
}

pub(super) fn fd_fdstat_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let open = context.state.descriptor(call.word(0))?;
    let (rights, inherited) = match open {
        Descriptor::Console => (WRITE | SET_FLAGS | STAT | POLL, 0),
        Descriptor::Empty => (READ | SET_FLAGS | STAT | POLL, 0),
        Descriptor::Directory => (OF_DIRECTORY, OF_DIRECTORY | ASKABLE),
        Descriptor::File { .. } => (OF_FILE, 0),
    };
    let mut bytes = [0; 24];
    let (head, masks) = bytes.split_at_mut(8);
    head.fill(0);
    if let Some(first) = head.first_mut() {
        *first = kind(open);
    }
    for (to, mask) in masks.chunks_mut(8).zip([rights, inherited]) {
        to.copy_from_slice(&mask.to_le_bytes());
    }
    Ok(Reply::success().put(context, call.word(1), bytes)?.into())
}

const fn kind(open: Descriptor) -> u8 {
    match open {
        Descriptor::Console | Descriptor::Empty => UNKNOWN,
        Descriptor::Directory => DIRECTORY,
        Descriptor::File { .. } => REGULAR_FILE,
    }
}

pub(super) fn fd_fdstat_set_flags(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    context.state.descriptor(call.word(0))?;
    if call.word(1) & !FLAGS != 0 {
        return Err(Errno::INVAL);
    }
    Ok(Reply::success().into())
}

pub(super) fn fd_prestat_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    preopened(context, call.word(0))?;
    // The kind, 0 for a directory, and the length of its name.
    let length = u64::try_from(ROOT.len()).map_err(|_| Errno::OVERFLOW)?;
    Ok(Reply::success().put(context, call.word(1), (length << 32).to_le_bytes())?.into())
}

pub(super) fn fd_prestat_dir_name(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    preopened(context, call.word(0))?;
    let room = usize::try_from(call.word(2)).map_err(|_| Errno::FAULT)?;
    if room < ROOT.len() {
        return Err(Errno::INVAL);
    }
    Ok(Reply::success().put(context, call.word(1), ROOT)?.into())
}

fn preopened(context: &Context<'_>, number: u32) -> Result<(), Errno> {
    let is_it = number == PREOPENED && context.state.descriptor(number)? == Descriptor::Directory;
    if is_it { Ok(()) } else { Err(Errno::BADF) }
}

pub(super) fn fd_filestat_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let open = context.state.descriptor(call.word(0))?;
    stat(context, call.word(1), open)
}

pub(super) fn path_filestat_get(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let open = look_up(context, call.word(0), call.word(2), call.word(3))?;
    stat(context, call.word(4), open)
}

fn stat(context: &Context<'_>, to: u32, open: Descriptor) -> Result<Step, Errno> {
    context.room(to, 64)?;
    match open {
        // Its size is asked for.
        Descriptor::File { handle, .. } => {
            Ok(Step::Gate(Native::Read { region: handle, offset: 0, length: 0 }))
        }
        _ => Ok(Reply::success().put(context, to, filestat(open, 0))?.into()),
    }
}

pub(super) fn was_sized(
    context: &Context<'_>,
    call: &Call,
    native: Answered<'_>,
) -> Result<Reply, Errno> {
    let (to, open) = match call.is_by_path() {
        true => (call.word(4), look_up(context, call.word(0), call.word(2), call.word(3))?),
        false => (call.word(1), context.state.descriptor(call.word(0))?),
    };
    Reply::success().put(context, to, filestat(open, native.value))
}

/// Nothing is known about when it was made: the times are zero.
fn filestat(open: Descriptor, size: u64) -> Vec<u8> {
    let number = match open {
        Descriptor::File { object, .. } => file_number(object),
        _ => DIRECTORY_NUMBER,
    };
    let links = 1u64;
    let words = [DEVICE, number, u64::from(kind(open)), links, size, 0, 0, 0];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn file_number(object: ObjectId) -> u64 {
    u64::from(object.0).saturating_add(2)
}

pub(super) fn path_open(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let (how, wanted) = (call.word(4), call.long(5));
    context.room(call.word(8), 4)?;
    let found = look_up(context, call.word(0), call.word(2), call.word(3));
    let open = match found {
        Err(Errno::NOENT) if how & CREATE != 0 => return Err(Errno::ROFS),
        Ok(_) if how & CREATE != 0 && how & EXCLUSIVE != 0 => return Err(Errno::EXIST),
        found => found?,
    };
    let is_file = matches!(open, Descriptor::File { .. });
    if is_file && how & MUST_BE_DIRECTORY != 0 {
        return Err(Errno::NOTDIR);
    }
    if how & TRUNCATE != 0 || is_file && wanted & WRITE != 0 {
        return Err(if is_file { Errno::ROFS } else { Errno::ISDIR });
    }
    let number = context.state.open(open)?;
    Ok(Reply::success().put(context, call.word(8), number.to_le_bytes())?.into())
}

/// What a path leads to, which begins at the directory open as `number`.
fn look_up(
    context: &Context<'_>,
    number: u32,
    pointer: u32,
    length: u32,
) -> Result<Descriptor, Errno> {
    let path = context.read(pointer, length)?;
    if context.state.descriptor(number)? != Descriptor::Directory {
        return Err(Errno::NOTDIR);
    }
    if path.is_empty() {
        return Err(Errno::NOENT);
    }
    if path.len() > PATH_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    let path = core::str::from_utf8(path).map_err(|_| Errno::NOENT)?;
    let mut parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let Some(name) = parts.next() else { return Ok(Descriptor::Directory) };
    if name == ".." {
        // There is nothing above it.
        return Err(Errno::NOTCAPABLE);
    }
    let File { handle, object, .. } = context.file(name).ok_or(Errno::NOENT)?;
    match parts.next().is_none() && !path.ends_with('/') {
        true => Ok(Descriptor::File { handle, object, offset: 0 }),
        false => Err(Errno::NOTDIR),
    }
}

/// Entries from the one on that the cookie counts; the last is cut where the
/// buffer ends.
pub(super) fn fd_readdir(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let (to, room, cookie) = (call.word(1), call.word(2), call.long(3));
    context.room(to, room)?;
    context.room(call.word(4), 4)?;
    if context.state.descriptor(call.word(0))? != Descriptor::Directory {
        return Err(Errno::NOTDIR);
    }
    let files = context.files();
    let own = [(".", DIRECTORY_NUMBER, DIRECTORY), ("..", DIRECTORY_NUMBER, DIRECTORY)];
    let regions = files.iter().map(|it| (it.name, file_number(it.object), REGULAR_FILE));
    let mut bytes = Vec::new();
    for (number, (name, file, kind)) in (0u64..).zip(own.into_iter().chain(regions)) {
        if number < cookie {
            continue;
        }
        let length = u32::try_from(name.len()).map_err(|_| Errno::OVERFLOW)?;
        bytes.extend(number.saturating_add(1).to_le_bytes());
        bytes.extend(file.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend([kind, 0, 0, 0]);
        bytes.extend(name.as_bytes());
    }
    bytes.truncate(usize::try_from(room).map_err(|_| Errno::OVERFLOW)?);
    let used = u32::try_from(bytes.len()).map_err(|_| Errno::OVERFLOW)?;
    let reply = Reply::success().put(context, to, bytes)?;
    Ok(reply.put(context, call.word(4), used.to_le_bytes())?.into())
}
