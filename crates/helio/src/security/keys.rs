//! A folder of keys: who can read it, and whether it fits together.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use memchr::memmem;
use witness::{Trust, key};

use super::{Findings, Severity, boot};
use crate::error::{HelioError, Result};
use crate::file;
use crate::keys::{Role, Store};

/// Most bytes of a key that are looked at: the longest that anybody makes has
/// fewer.
const PEM_MAX: usize = 16 << 10;

/// A private key in a file.
pub(super) struct Private {
    /// Whether it takes a passphrase.
    pub(super) is_encrypted: bool,
    /// The public key that belongs to it, where it can be read.
    pub(super) public: Option<[u8; 32]>,
}

/// The first private key in some bytes, of whatever kind, in PEM.
pub(super) fn private_in(bytes: &[u8]) -> Option<Private> {
    // "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "RSA …",
    // "OPENSSH PRIVATE KEY".
    const BEGIN: &[u8] = b"-----BEGIN ";
    const END: &str = "PRIVATE KEY-----";
    let (line, rest) = memmem::find_iter(bytes, BEGIN).find_map(|at| {
        let rest = bytes.get(at..)?;
        // The label is short; what follows may have no line feed for long.
        let line = rest.get(..rest.len().min(80))?.split(|&byte| byte == b'\n').next()?;
        let line = core::str::from_utf8(line).ok()?.trim_end();
        line.ends_with(END).then_some((line, rest))
    })?;
    let rest = rest.get(..rest.len().min(PEM_MAX)).unwrap_or_default();
    // Behind its last line there may be anything.
    let last = memmem::find(rest, b"-----END ").unwrap_or(rest.len());
    let after = rest.iter().skip(last).position(|&byte| byte == b'\n');
    let end = after.map_or(rest.len(), |at| last + at + 1);
    let pem = String::from_utf8_lossy(rest.get(..end).unwrap_or_default());
    let is_encrypted =
        line.contains("ENCRYPTED") || pem.lines().take(4).any(|line| line.contains("ENCRYPTED"));
    let public = key::private_from_pem(&pem).ok().map(|private| key::public(&private));
    Some(Private { is_encrypted, public })
}

/// Looks at a folder of keys.
pub(super) fn look(folder: &Path, findings: &mut Findings) -> Result<()> {
    mode(folder, folder, findings)?;
    let mut privates = Vec::new();
    for name in file::files_below(folder)? {
        let path = folder.join(&name);
        if !fs::symlink_metadata(&path).is_ok_and(|it| it.is_file()) {
            continue;
        }
        let Some(found) = private_in(&file::read(&path)?) else { continue };
        mode(&path, &name, findings)?;
        if !found.is_encrypted {
            let is_root = name.file_stem().is_some_and(|stem| stem == Role::Root.name());
            findings.add(
                if is_root { Severity::Medium } else { Severity::Low },
                "unencrypted-key",
                name.display(),
                "the private key takes no passphrase: who copies the file can sign",
                "encrypt it with a passphrase, or keep it where only its signer can read it",
            );
        }
        privates.push((name, found));
    }
    together(folder, &privates, findings);
    Ok(())
}

/// Files and folders that others may read or write.
fn mode(path: &Path, name: &Path, findings: &mut Findings) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|error| HelioError::read(path, error))?;
    let mode = metadata.permissions().mode() & 0o777;
    let place = name.display();
    if metadata.is_dir() {
        if mode & 0o022 != 0 {
            findings.add(
                Severity::High,
                "loose-mode",
                place,
                format!("mode {mode:03o}: others can put keys of their own in this folder"),
                format!("chmod go-w {}", path.display()),
            );
        }
    } else if mode & 0o077 != 0 {
        findings.add(
            Severity::High,
            "loose-mode",
            place,
            format!("mode {mode:03o}: the private key is readable or writable by others"),
            format!("chmod 600 {}, and make a new key if others could read it", path.display()),
        );
    }
    Ok(())
}

/// Whether private and public halves and the trust file go together.
fn together(folder: &Path, privates: &[(PathBuf, super::keys::Private)], findings: &mut Findings) {
    let store = Store::at(folder);
    for (name, found) in privates {
        let Some(public) = found.public else { continue };
        let beside = folder.join(name).with_extension("pub.pem");
        let is_other = fs::read_to_string(&beside)
            .is_ok_and(|pem| key::public_from_pem(&pem).ok() != Some(public));
        if is_other {
            findings.add(
                Severity::High,
                "other-public-key",
                beside.display(),
                "it is not the public half of the private key beside it: logs and packages would be judged by a stranger's key",
                "find out who wrote it, then make it again from the private key",
            );
        }
    }
    let is_there =
        |role: Role| privates.iter().any(|(name, _)| store.private_path(role) == folder.join(name));
    if is_there(Role::Root) && (is_there(Role::Operator) || is_there(Role::Device)) {
        findings.add(
            Severity::Medium,
            "root-key-beside-others",
            store.private_path(Role::Root).display(),
            "the key that says whom machines trust lies beside keys of every day's work",
            "keep the root key away from machines that build and run, and bring its public half here",
        );
    }
    let path = store.trust_path();
    let Ok(bytes) = fs::read(&path) else {
        findings.add(
            Severity::Info,
            "no-trust-file",
            path.display(),
            "there is no trust file",
            "have the root key's holder sign one",
        );
        return;
    };
    let root = store.public(Role::Root).ok();
    let place = path.display().to_string();
    let Some(trust) = boot::trust_file(&place, &bytes, root.as_ref(), findings) else { return };
    for (name, found) in privates {
        if let Some(public) = found.public {
            listed(name, &public, &trust, root.as_ref(), findings);
        }
    }
}

/// Whether the trust file takes a key.
fn listed(
    name: &Path,
    public: &[u8; 32],
    trust: &Trust,
    root: Option<&[u8; 32]>,
    findings: &mut Findings,
) {
    let is_known = trust.operators.iter().chain(&trust.devices).any(|named| named.key == *public);
    if trust.revoked.contains(public) {
        findings.add(
            Severity::Medium,
            "revoked-key",
            name.display(),
            "the trust file revokes the key: nothing that it signs is believed",
            "remove it, so that nobody signs with it by mistake",
        );
    } else if root == Some(public) {
        if is_known {
            findings.add(
                Severity::High,
                "key-in-two-roles",
                name.display(),
                "the root key signs packages or logs too",
                "give operators and devices keys of their own",
            );
        }
    } else if !is_known {
        findings.add(
            Severity::Low,
            "unlisted-key",
            name.display(),
            "the trust file does not list the key: nothing that it signs is believed",
            "add it to the trust file, or remove it",
        );
    }
}
