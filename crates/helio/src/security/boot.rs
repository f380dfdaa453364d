//! The files a machine boots from: who checks them, and what they say.

use std::path::Path;

use serde::Serialize;
use witness::signature::FileKind;
use witness::trust::{Distrust, TrustError};
use witness::{Hasher, Trust, key};

use super::keys::Private;
use super::{Context, Findings, Severity, code, image, keys, package, settings};
use crate::image::Entry;
use crate::keys::Role;

/// What starts the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Way {
    /// Our UEFI loader, which checks signatures.
    Uefi,
    /// Limine, which checks nothing.
    Limine,
    /// Our direct loader, which checks nothing.
    Direct,
    /// A board's own firmware.
    Firmware,
    /// None of these.
    Unknown,
}

impl Way {
    /// By the files there are.
    pub(super) fn of(files: &[Entry]) -> Self {
        let has = |name: &str| files.iter().any(|file| is_named(&file.path, name));
        let has_efi = files.iter().any(|file| is_efi(&file.path));
        if has("limine.conf") {
            Self::Limine
        } else if has("config.txt") || has("kernel8.img") {
            Self::Firmware
        } else if has_efi {
            Self::Uefi
        } else {
            Self::Unknown
        }
    }
}

/// Whether a file's name says that its folder is one of boot files.
pub(super) fn is_boot_file(path: &Path) -> bool {
    let names = ["kernel.elf", "config.txt", "kernel8.img", "limine.conf"];
    path.to_str().is_some_and(|path| names.iter().any(|name| is_named(path, name)))
}

/// Whether the last part of a path is this, as FAT compares names.
fn is_named(path: &str, name: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
}

fn is_efi(path: &str) -> bool {
    path.len() > 4 && path.get(path.len() - 4..).is_some_and(|it| it.eq_ignore_ascii_case(".efi"))
}

/// Looks at all files.
pub(super) fn look(files: &[Entry], way: Way, context: &Context, findings: &mut Findings) {
    let inner: Vec<Entry> = files.iter().flat_map(unpack).collect();
    let files: Vec<&Entry> = files.iter().chain(&inner).collect();
    let named = |name: &str| files.iter().copied().find(|file| is_named(&file.path, name));
    started_by(way, findings);
    let trust = trust(named("trust.note"), context, findings);
    kernel(named("kernel.elf"), named("kernel.sig"), way, trust.as_ref(), findings);
    match named("package.rvf") {
        Some(file) => package::look(&file.path, &file.bytes, trust.as_ref(), findings),
        None => findings.add(
            Severity::Info,
            "no-package",
            "package.rvf",
            "there is no package: the machine says so and ends",
            "add one with --package",
        ),
    }
    if let Some(file) = named("more.rvf") {
        package::look(&file.path, &file.bytes, trust.as_ref(), findings);
    }
    device_key(named("device.pem"), trust.as_ref(), findings);
    let device = named("device.pem").and_then(|file| keys::private_in(&file.bytes)?.public);
    for file in &files {
        // What the device's key was unpacked from holds it, too.
        let holds = |part: &Entry| part.path.starts_with(&format!("{}/", file.path));
        let is_packed = device.is_some() && inner.iter().any(holds);
        let found = keys::private_in(&file.bytes).filter(|_| !is_named(&file.path, "device.pem"));
        if let Some(found) = found.filter(|found| !is_packed || found.public != device) {
            private_key(file, &found, context, findings);
        }
        if is_efi(&file.path) {
            code::look(&file.path, &file.bytes, findings);
        }
        words(file, way, findings);
    }
}

/// The files of an archive that is part of a file, such as a card's
/// `kernel8.img`.
fn unpack(file: &Entry) -> Vec<Entry> {
    let is_image = file.bytes.get(56..60) == Some(b"ARM\x64")
        || file.bytes.starts_with(boot_contract::archive::MAGIC);
    let found =
        if is_image { image::archive(Path::new(&file.path), &file.bytes) } else { Ok(Vec::new()) };
    let mut entries = found.unwrap_or_default();
    for entry in &mut entries {
        entry.path = format!("{}/{}", file.path, entry.path);
    }
    entries
}

fn started_by(way: Way, findings: &mut Findings) {
    let by_hand =
        "check the image's digest where it is written, or boot by the UEFI loader with secure boot";
    match way {
        Way::Uefi => findings.add(
            Severity::Info,
            "unchecked-loader",
            "the UEFI loader",
            "it checks kernel and package; nobody checks it, unless secure boot is on",
            "enrol its digest for secure boot",
        ),
        Way::Limine => findings.add(
            Severity::Medium,
            "unchecked-boot",
            "Limine",
            "it checks neither kernel nor trust file: who writes to the disk chooses both",
            by_hand,
        ),
        Way::Direct => findings.add(
            Severity::Medium,
            "unchecked-boot",
            "the direct loader",
            "it checks neither kernel nor trust file: who writes the image chooses both",
            by_hand,
        ),
        Way::Firmware => findings.add(
            Severity::Medium,
            "unchecked-boot",
            "the board's firmware",
            "it starts whatever is on the card: who writes to it chooses kernel and trust file",
            by_hand,
        ),
        Way::Unknown => findings.add(
            Severity::Info,
            "no-loader",
            "the image",
            "there is no loader that is known in it",
            "look at what starts the kernel yourself",
        ),
    }
}

/// The trust file, judged by the root key where that is known.
fn trust(file: Option<&Entry>, context: &Context, findings: &mut Findings) -> Option<Trust> {
    let Some(file) = file else {
        findings.add(
            Severity::High,
            "no-trust-file",
            "trust.note",
            "there is no trust file: the machine believes nobody, or does not start",
            "add the trust file that the root key signed",
        );
        return None;
    };
    let root = context.store().and_then(|store| store.public(Role::Root).ok());
    trust_file(&file.path, &file.bytes, root.as_ref(), findings)
}

/// A trust file, judged by the root key where that is known.
pub(super) fn trust_file(
    place: &str,
    bytes: &[u8],
    root: Option<&[u8; 32]>,
    findings: &mut Findings,
) -> Option<Trust> {
    let opened = match root {
        Some(root) => Trust::open(bytes, root, Hasher::SOFTWARE),
        None => {
            findings.add(
                Severity::Info,
                "root-not-checked",
                place,
                "whether the root key signed it was not looked at",
                "give --keys a folder with the root key's public half, root.pub.pem",
            );
            Trust::taken_at_its_word(bytes, Hasher::SOFTWARE)
        }
    };
    let trust = match opened {
        Ok(trust) => trust,
        Err(error) => {
            let (code, what) = match &error {
                TrustError::Note(_) => ("unsigned-trust-file", "is not signed by the root key"),
                _ => ("bad-trust-file", "cannot be read"),
            };
            findings.add(
                Severity::High,
                code,
                place,
                format!("the trust file {what}: {error}"),
                "have the root key's holder sign it (helio keys trust)",
            );
            return None;
        }
    };
    if trust.development {
        findings.add(
            Severity::High,
            "development-keys",
            place,
            "the trust file is marked as one of development keys: anybody may have them",
            "make keys of your own, sign a trust file without the mark, and sign everything again",
        );
    }
    for device in &trust.devices {
        if trust.operators.iter().any(|operator| operator.key == device.key) {
            findings.add(
                Severity::High,
                "key-in-two-roles",
                place,
                format!(
                    "{} signs logs and packages: the key lies on the machine and rules it",
                    device.name
                ),
                "give devices and operators keys of their own",
            );
        }
    }
    if trust.operators.is_empty() {
        findings.add(
            Severity::Low,
            "no-operator",
            place,
            "no operator is trusted: nothing can be mounted, and no event be signed",
            "add the operator's key",
        );
    }
    Some(trust)
}

fn kernel(
    kernel: Option<&Entry>,
    signature: Option<&Entry>,
    way: Way,
    trust: Option<&Trust>,
    findings: &mut Findings,
) {
    let Some(kernel) = kernel else {
        findings.add(
            Severity::Info,
            "no-kernel",
            "kernel.elf",
            "there is no kernel to look at",
            "look at the image that it is in",
        );
        return;
    };
    code::look(&kernel.path, &kernel.bytes, findings);
    let sign =
        "sign it with an operator's key that the trust file lists (helio sign --kind kernel)";
    if signature.is_none() && matches!(way, Way::Direct | Way::Firmware) {
        // An archive has no place for one: that nothing is checked was said.
        return;
    }
    let Some(signature) = signature else {
        findings.add(
            Severity::High,
            "unsigned-kernel",
            &kernel.path,
            "there is no kernel.sig beside it: nobody vouches for it",
            sign,
        );
        return;
    };
    let Some(trust) = trust else { return };
    let digest = Hasher::SOFTWARE.hash(&kernel.bytes);
    let note = String::from_utf8_lossy(&signature.bytes);
    if let Err(error) = trust.check_file(FileKind::Kernel, &digest, &note) {
        findings.add(
            Severity::High,
            "untrusted-kernel",
            &signature.path,
            format!("it is not the signature of a trusted operator over this kernel: {error}"),
            sign,
        );
    }
}

/// The key that the machine signs its log with.
fn device_key(file: Option<&Entry>, trust: Option<&Trust>, findings: &mut Findings) {
    let Some(file) = file else {
        findings.add(
            Severity::Info,
            "no-device-key",
            "device.pem",
            "there is no device key: the machine cannot sign a log, and does not start",
            "add one",
        );
        return;
    };
    findings.add(
        Severity::Medium,
        "device-key-in-image",
        &file.path,
        "the device's private key is readable on the medium: who has read it can sign logs in the device's name",
        "guard the image and the medium as you would the key; give each device its own, and revoke it when a medium is lost",
    );
    let pem = String::from_utf8_lossy(&file.bytes);
    let public = match key::private_from_pem(&pem) {
        Ok(private) => key::public(&private),
        Err(error) => {
            findings.add(
                Severity::Medium,
                "bad-device-key",
                &file.path,
                format!("it is no private key: {error}"),
                "give the key in PKCS#8 PEM",
            );
            return;
        }
    };
    let Some(trust) = trust else { return };
    match trust.device(&public) {
        Ok(_) => {}
        Err(Distrust::Revoked) => findings.add(
            Severity::High,
            "revoked-device-key",
            &file.path,
            "the trust file beside it revokes the device's key",
            "make a new device key and add it to the trust file",
        ),
        Err(Distrust::Unknown) => findings.add(
            Severity::Low,
            "unlisted-device-key",
            &file.path,
            "the trust file beside it does not list the device's key",
            "add it to the trust file, so that who verifies logs knows it",
        ),
    }
}

/// Any other private key in an image.
fn private_key(file: &Entry, found: &Private, context: &Context, findings: &mut Findings) {
    let whose = found.public.and_then(|public| {
        let store = context.store()?;
        Role::ALL.into_iter().find(|role| store.public(*role).ok() == Some(public))
    });
    let name = whose.map_or("a".into(), |role| format!("the {}'s", role.name()));
    let (severity, kind) = match found.is_encrypted {
        true => (Severity::Medium, "encrypted private key"),
        false => (Severity::High, "private key"),
    };
    findings.add(
        severity,
        "private-key-in-image",
        &file.path,
        format!("{name} {kind} is in the image: who has the image has it"),
        "take it out, revoke it, and make a new one",
    );
}

/// The kernel's command line, where a file gives it.
fn words(file: &Entry, way: Way, findings: &mut Findings) {
    let text = String::from_utf8_lossy(&file.bytes);
    if is_named(&file.path, "cmdline.txt") {
        // The direct loader and ours put their own words in front.
        let is_ours = matches!(way, Way::Uefi | Way::Direct | Way::Firmware);
        settings::look(&file.path, &text, is_ours, findings);
    } else if is_named(&file.path, "limine.conf") {
        let mut seen = Vec::new();
        for line in text.lines() {
            let Some((name, value)) = line.trim().split_once(':') else { continue };
            // Both names of one option: old and new.
            if matches!(name, "cmdline" | "kernel_cmdline") && !seen.contains(&value) {
                seen.push(value);
                settings::look(&file.path, value, false, findings);
            }
        }
    }
}
