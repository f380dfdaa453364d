//! Whether a signer, and a version of a package, are trusted.

use alloc::format;

use witness::Trust;
use witness::trust::{Distrust, NamedKey};

use crate::error::{Object, PackageError, Reason, Stage};

/// The operator whose key this is.
///
/// # Errors
/// [`Reason::RevokedKey`], whatever else the key is; else
/// [`Reason::UntrustedKey`].
pub(crate) fn decide_signer<'t>(
    trust: &'t Trust,
    key: &[u8; 32],
) -> Result<&'t NamedKey, PackageError> {
    trust.operator(key).map_err(|distrust| {
        let reason = match distrust {
            Distrust::Revoked => Reason::RevokedKey,
            Distrust::Unknown => Reason::UntrustedKey,
        };
        Stage::Trust.refuse(Object::Key(*key), reason)
    })
}

/// Refuses a version below the least one trusted, so that an old signed
/// package with a known fault cannot come back.
pub(crate) fn decide_version(trust: &Trust, name: &str, version: u64) -> Result<(), PackageError> {
    let least = trust.minimum_version(name);
    if version >= least {
        return Ok(());
    }
    let place = format!("version {version} (least for \"{name}\": {least})");
    Err(Stage::Trust.refuse(Object::Manifest(place), Reason::VersionTooOld))
}
