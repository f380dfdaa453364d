//! Checkpoints: the signed size and root of a log (C2SP tlog-checkpoint),
//! without extension lines.

use crate::{BootId, Hash, base64, hex, json, note, note::SigningKey};
use alloc::{format, string::String};

/// Longest name of a device.
pub const DEVICE_NAME_MAX: usize = 64;

/// What a log says about itself at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint<'a> {
    /// Names the log; see [`origin`].
    pub origin: &'a str,
    /// Number of records.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

impl<'a> Checkpoint<'a> {
    /// The three lines that are signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, base64::encode(&self.root))
    }

    /// The note, signed under the origin as the key's name.
    pub fn sign(&self, key: &SigningKey) -> String {
        note::sign(&self.text(), self.origin, key)
    }

    /// Reads the three lines. `None` if there are more or fewer, the origin
    /// cannot name a key, or the numbers are not in their one spelling.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let is_whole = lines.next().is_none() && note::is_key_name(origin);
        let (size, root) = (json::decimal(size)?, base64::decode_array(root)?);
        is_whole.then_some(Self { origin, size, root })
    }
}

/// The origin, and key name, of a device's log in one boot:
/// `<device>/<boot id>`.
pub fn origin(device: &str, boot: &BootId) -> String {
    format!("{device}/{}", hex::encode(boot))
}

/// Device name and boot id in an origin.
pub fn split_origin(origin: &str) -> Option<(&str, BootId)> {
    let (device, boot) = origin.split_once('/')?;
    is_device_name(device).then_some((device, hex::decode(boot)?))
}

/// Whether `name` can name a device: 1 to 64 ASCII letters, digits, dots,
/// hyphens and underscores.
pub fn is_device_name(name: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=DEVICE_NAME_MAX).contains(&name.len()) && name.bytes().all(is_good)
}

/// The name of a device that the trust file does not name: `helio-` and the
/// first four bytes of SHA-256 of its public key.
pub fn default_device_name(public_key: &[u8; 32]) -> String {
    let digest = crate::Hasher::SOFTWARE.hash(public_key);
    format!("helio-{}", hex::encode(&digest[..4]))
}
