//! From the log in memory to a signed log on a device.

use alloc::{string::String, vec::Vec};
use core::fmt;
use witness::{
    BootId, Hash, Log, checkpoint::Checkpoint, frame::Frames, manifest::RunManifest,
    note::SigningKey,
};

/// Where frames go.
pub trait Device {
    /// Why the device failed.
    type Error;

    /// Appends whole frames. They need not be safe before [`Device::flush`].
    fn append(&mut self, frames: Vec<u8>) -> Result<(), Self::Error>;

    /// Returns once everything appended is as safe as the device can make it.
    fn flush(&mut self) -> Result<(), Self::Error>;
}

/// Why the log could not be written. What was not committed must not become
/// visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure<E> {
    /// The device failed.
    Device(E),
    /// The manifest is longer than a frame can be.
    ManifestTooLong,
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(error) => error.fmt(f),
            Self::ManifestTooLong => f.write_str("the run's manifest is longer than a frame"),
        }
    }
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Device(error)
    }
}

/// How much a recorder has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How often records were sealed.
    pub seals: u64,
    /// Checkpoints that were signed.
    pub checkpoints: u64,
    /// Bytes of frames that were sent to the device.
    pub bytes: u64,
}

/// Writes one boot's log to one device.
pub struct Recorder<D> {
    device: D,
    frames: Frames,
    key: SigningKey,
    origin: String,
    /// Size and root of what was sent to the device.
    sent: Option<(u64, Hash)>,
    /// The last checkpoint that is on the device: its size, root and note.
    last: Option<(u64, Hash, String)>,
    work: Work,
}

impl<D: Device> Recorder<D> {
    /// A recorder that signs with `key` under `origin`
    /// ([`witness::checkpoint::origin`]).
    pub fn new(device: D, boot: BootId, origin: String, key: SigningKey) -> Self {
        let frames = Frames::new(boot);
        Self { device, frames, key, origin, sent: None, last: None, work: Work::default() }
    }

    /// Seals what is pending and sends it to the device, which need not have it
    /// safe. Makes room in the log without the cost of a signature.
    pub fn collect(&mut self, log: &mut Log) -> Result<(), Failure<D::Error>> {
        if log.pending() > 0 {
            self.work.seals += 1;
        }
        log.seal(&mut |record, _| self.frames.entry(record));
        self.send()?;
        self.sent = Some((log.size(), log.root()));
        Ok(())
    }

    /// Seals what is pending and returns once it and a checkpoint over it are
    /// on the device. Does nothing if nothing has been written since the last
    /// time.
    pub fn commit(&mut self, log: &mut Log) -> Result<(), Failure<D::Error>> {
        if log.pending() == 0 && self.last.as_ref().is_some_and(|(size, ..)| *size == log.size()) {
            return Ok(());
        }
        self.collect(log)?;
        self.cover()
    }

    /// Sees to it that a checkpoint covers everything that was sent.
    fn cover(&mut self) -> Result<(), Failure<D::Error>> {
        let Some((size, root)) = self.sent else { return Ok(()) };
        if self.last.as_ref().is_some_and(|(covered, ..)| *covered == size) {
            return Ok(());
        }
        // The checkpoint promises the records, so they are safe before it is
        // made.
        self.device.flush()?;
        let note = Checkpoint { origin: &self.origin, size, root }.sign(&self.key);
        // A checkpoint is three short lines and a signature.
        self.frames.checkpoint(&note);
        self.work.checkpoints += 1;
        self.send()?;
        self.device.flush()?;
        self.last = Some((size, root, note));
        Ok(())
    }

    /// Ends the log, for now, with a checkpoint over what was sent and a
    /// manifest over that, which `describe` gets the size and root for. Returns
    /// the manifest's note. What is pending is not sealed: call
    /// [`Recorder::commit`] before, unless the machine is in no state to.
    pub fn close(
        &mut self,
        describe: impl FnOnce(u64, Hash) -> RunManifest,
    ) -> Result<Option<String>, Failure<D::Error>> {
        self.cover()?;
        let Some((size, root, _)) = &self.last else { return Ok(None) };
        let note = describe(*size, *root).sign(&self.origin, &self.key);
        if !self.frames.manifest(&note) {
            return Err(Failure::ManifestTooLong);
        }
        self.send()?;
        self.device.flush()?;
        Ok(Some(note))
    }

    fn send(&mut self) -> Result<(), Failure<D::Error>> {
        let frames = self.frames.take();
        self.work.bytes += frames.len() as u64;
        Ok(self.device.append(frames)?)
    }

    /// How much this has done so far.
    pub fn work(&self) -> Work {
        self.work
    }

    /// The last checkpoint on the device.
    pub fn checkpoint(&self) -> Option<&str> {
        self.last.as_ref().map(|(_, _, note)| note.as_str())
    }

    /// Number of records that the last checkpoint on the device covers.
    pub fn covered(&self) -> u64 {
        self.last.as_ref().map_or(0, |(size, ..)| *size)
    }

    /// Names the log and its key.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The device, for what else it can say.
    pub fn device(&mut self) -> &mut D {
        &mut self.device
    }
}
