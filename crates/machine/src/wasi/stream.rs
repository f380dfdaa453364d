//! Reading and writing.

use super::{
    Answered, Call,
    context::Context,
    errno::Errno,
    reply::{Native, Reply, Step},
    state::Descriptor,
};
use crate::guest::GuestSlice;
use abi::profile::MESSAGE_BYTES;
use alloc::vec::Vec;
use nucleus::{ObjectId, view::Body};

/// Most bytes that one call reads.
const READ_BYTES: usize = 65_536;

/// Whence a file is sought: from its start, from where it is, from its end.
const SET: u32 = 0;
const CURRENT: u32 = 1;
const END: u32 = 2;

/// As much as fits into a message goes to the console; its type is the
/// number of the descriptor.
pub(super) fn fd_write(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let kind = call.word(0);
    let is_console = context.state.descriptor(kind)? == Descriptor::Console;
    let vectors = context.vectors(call.word(1), call.word(2))?;
    context.room(call.word(3), 4)?;
    if !is_console {
        return Err(Errno::BADF);
    }
    let mut bytes = Vec::new();
    for vector in vectors {
        let more = context.read(vector.pointer, vector.length)?;
        let room = MESSAGE_BYTES.saturating_sub(bytes.len());
        bytes.extend_from_slice(more.get(..more.len().min(room)).unwrap_or_default());
    }
    if bytes.is_empty() {
        return Ok(Reply::success().put(context, call.word(3), [0; 4])?.into());
    }
    let console = context.console()?;
    if !console_has_room(context, bytes.len()) {
        return Ok(Step::Later);
    }
    Ok(Step::Gate(Native::Send { console, kind, bytes }))
}

/// The console is emptied at the end of every slice.
fn console_has_room(context: &Context<'_>, length: usize) -> bool {
    match context.nucleus.object(ObjectId::CONSOLE).map(|object| &object.body) {
        Some(Body::Queue(queue)) => queue.has_room(length),
        _ => true,
    }
}

pub(super) fn written(
    context: &Context<'_>,
    call: &Call,
    native: Answered<'_>,
) -> Result<Reply, Errno> {
    let length = u32::try_from(native.length).map_err(|_| Errno::OVERFLOW)?;
    Reply::success().put(context, call.word(3), length.to_le_bytes())
}

pub(super) fn fd_read(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let open = context.state.descriptor(call.word(0))?;
    let offset = if let Descriptor::File { offset, .. } = open { offset } else { 0 };
    read(context, open, offset, call, call.word(3))
}

pub(super) fn fd_pread(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let open = context.state.descriptor(call.word(0))?;
    match open {
        Descriptor::Console | Descriptor::Empty => Err(Errno::SPIPE),
        _ => read(context, open, call.long(3), call, call.word(4)),
    }
}

fn read(
    context: &Context<'_>,
    open: Descriptor,
    offset: u64,
    call: &Call,
    count: u32,
) -> Result<Step, Errno> {
    let vectors = context.vectors(call.word(1), call.word(2))?;
    context.room(count, 4)?;
    let region = match open {
        Descriptor::File { handle, .. } => Some(handle),
        Descriptor::Empty => None,
        Descriptor::Directory => return Err(Errno::ISDIR),
        Descriptor::Console => return Err(Errno::BADF),
    };
    let length = size_of_all(&vectors).min(READ_BYTES);
    match region {
        Some(region) if length > 0 => Ok(Step::Gate(Native::Read { region, offset, length })),
        _ => Ok(Reply::success().put(context, count, [0; 4])?.into()),
    }
}

fn size_of_all(vectors: &[GuestSlice]) -> usize {
    let lengths = vectors.iter().map(|it| usize::try_from(it.length).unwrap_or(usize::MAX));
    lengths.fold(0, usize::saturating_add)
}

/// Spreads over the caller's buffers what came.
pub(super) fn was_read(
    context: &mut Context<'_>,
    call: &Call,
    native: Answered<'_>,
) -> Result<Reply, Errno> {
    let came = usize::try_from(native.value).map_err(|_| Errno::OVERFLOW)?;
    let mut rest = native.buffer.get(..came).unwrap_or_default();
    let mut reply = Reply::success();
    for vector in context.vectors(call.word(1), call.word(2))? {
        let length = usize::try_from(vector.length).map_err(|_| Errno::OVERFLOW)?;
        let (part, later) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if !part.is_empty() {
            reply = reply.put(context, vector.pointer, part)?;
        }
        rest = later;
    }
    let count = u32::try_from(came).map_err(|_| Errno::OVERFLOW)?;
    let number = call.word(0);
    match context.state.descriptor(number)? {
        Descriptor::File { offset, .. } if !call.is_positioned() => {
            context.state.seek(number, offset.saturating_add(native.value));
            reply.put(context, call.word(3), count.to_le_bytes())
        }
        _ => reply.put(context, call.word(4), count.to_le_bytes()),
    }
}

pub(super) fn fd_seek(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    context.room(call.word(3), 8)?;
    let (region, offset) = file(context, call.word(0))?;
    match call.word(2) {
        SET => Ok(moved(context, call, 0)?.into()),
        CURRENT => Ok(moved(context, call, offset)?.into()),
        END => Ok(Step::Gate(Native::Read { region, offset: 0, length: 0 })),
        _ => Err(Errno::INVAL),
    }
}

/// Its size has been asked for.
pub(super) fn sought(
    context: &mut Context<'_>,
    call: &Call,
    native: Answered<'_>,
) -> Result<Reply, Errno> {
    moved(context, call, native.value)
}

/// Moves to so far from `base`.
fn moved(context: &mut Context<'_>, call: &Call, base: u64) -> Result<Reply, Errno> {
    // Keeps all bits.
    let to = base.checked_add_signed(call.long(1).cast_signed()).ok_or(Errno::INVAL)?;
    if i64::try_from(to).is_err() {
        return Err(Errno::OVERFLOW);
    }
    context.state.seek(call.word(0), to);
    Reply::success().put(context, call.word(3), to.to_le_bytes())
}

pub(super) fn fd_tell(context: &mut Context<'_>, call: &Call) -> Result<Step, Errno> {
    let (_, offset) = file(context, call.word(0))?;
    Ok(Reply::success().put(context, call.word(1), offset.to_le_bytes())?.into())
}

fn file(context: &Context<'_>, number: u32) -> Result<(abi::Handle, u64), Errno> {
    match context.state.descriptor(number)? {
        Descriptor::File { handle, offset, .. } => Ok((handle, offset)),
        Descriptor::Console | Descriptor::Empty => Err(Errno::SPIPE),
        Descriptor::Directory => Err(Errno::BADF),
    }
}
