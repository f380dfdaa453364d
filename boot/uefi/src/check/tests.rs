use alloc::string::ToString;
use alloc::vec::Vec;

use ed25519_dalek::{Signer, SigningKey};
use package::{signature_payload, signing_message};
use rvf_types::{SegmentFlags, SegmentType};
use rvf_wire::writer::write_segment;
use witness::signature;
use witness::trust::NamedKey;

use super::*;

const HASHER: Hasher = Hasher::SOFTWARE;

fn root() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn operator() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

fn stranger() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn public(key: &SigningKey) -> [u8; 32] {
    key.verifying_key().to_bytes()
}

/// The least kernel: one segment with a return instruction.
fn kernel() -> Vec<u8> {
    const BASE: u64 = 0xffff_ffff_8000_0000;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    for word in [BASE, 64, 0] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.extend_from_slice(&[0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    file.extend_from_slice(&[1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [120, BASE, 0, 1, 1, 4096] {
        file.extend_from_slice(&u64::to_le_bytes(word));
    }
    file.push(0xc3);
    file
}

fn kernel_signature(kernel: &[u8], key: &SigningKey) -> Vec<u8> {
    signature::sign(FileKind::Kernel, &HASHER.hash(kernel), "operator", key).into_bytes()
}

fn package_by(key: &SigningKey) -> Vec<u8> {
    let flags = SegmentFlags::empty();
    let mut file = write_segment(SegmentType::Wasm as u8, b"\0asm\x01\0\0\0", flags, 1);
    let signature = key.sign(&signing_message(&HASHER.hash(&file))).to_bytes();
    let payload = signature_payload(&public(key), &signature);
    file.extend_from_slice(&write_segment(SegmentType::Crypto as u8, &payload, flags, 2));
    file
}

fn trust_of(root: &SigningKey, revoked: &[[u8; 32]]) -> Vec<u8> {
    let operator = NamedKey { key: public(&operator()), name: "operator".into() };
    let trust = Trust {
        development: true,
        operators: [operator].into(),
        revoked: revoked.into(),
        ..Trust::nobody()
    };
    trust.sign(root).into_bytes()
}

/// Files without fault.
struct Partition {
    kernel: Vec<u8>,
    kernel_signature: Vec<u8>,
    package: Vec<u8>,
    trust: Vec<u8>,
}

impl Partition {
    fn good() -> Self {
        Self {
            kernel_signature: kernel_signature(&kernel(), &operator()),
            kernel: kernel(),
            package: package_by(&operator()),
            trust: trust_of(&root(), &[]),
        }
    }

    fn check(&self) -> Result<Checked<'_>, Refusal> {
        let files = Files {
            kernel: &self.kernel,
            kernel_signature: &self.kernel_signature,
            package: &self.package,
            trust: &self.trust,
        };
        check(&files, &public(&root()), Architecture::X86_64, HASHER)
    }

    fn refusal(&self) -> std::string::String {
        self.check().map(drop).unwrap_err().to_string()
    }
}

#[test]
fn files_that_the_right_keys_signed_are_started() {
    let partition = Partition::good();
    let checked = partition.check().unwrap();
    assert_eq!((checked.kernel_signer(), checked.package_signer()), ("operator", "operator"));
    assert!(checked.is_development());
    assert_eq!(checked.kernel().entry(), 0xffff_ffff_8000_0000);
}

#[test]
fn a_trust_file_of_another_root_is_refused() {
    let stranger = Partition { trust: trust_of(&stranger(), &[]), ..Partition::good() };
    let sentence =
        "heliograph/trust.note is signed by a stranger: not by the root key of this loader";
    assert_eq!(stranger.refusal(), sentence);
    let mut changed = Partition::good();
    changed.trust[20] ^= 1;
    assert_eq!(changed.refusal(), "heliograph/trust.note was changed after the root key signed it");
    let empty = Partition { trust: [].into(), ..Partition::good() };
    assert!(empty.refusal().starts_with("heliograph/trust.note is unsigned: "));
}

#[test]
fn a_kernel_that_no_trusted_operator_signed_is_refused() {
    let by_stranger = Partition {
        kernel_signature: kernel_signature(&kernel(), &stranger()),
        ..Partition::good()
    };
    let sentence = "heliograph/kernel.elf is signed by a stranger: heliograph/kernel.sig is by no trusted operator";
    assert_eq!(by_stranger.refusal(), sentence);
    let revoked =
        Partition { trust: trust_of(&root(), &[public(&operator())]), ..Partition::good() };
    assert_eq!(revoked.refusal(), sentence);
    let unsigned = Partition { kernel_signature: b"none".into(), ..Partition::good() };
    assert!(unsigned.refusal().starts_with("heliograph/kernel.elf is unsigned: "));
    let loaders =
        signature::sign(FileKind::Loader, &HASHER.hash(&kernel()), "operator", &operator());
    let other_kind = Partition { kernel_signature: loaders.into_bytes(), ..Partition::good() };
    assert_eq!(other_kind.check().map(drop), Err(Refusal::Kernel(NoteError::BadSignature)));
}

#[test]
fn a_kernel_cut_at_any_length_is_refused() {
    for length in 0..kernel().len() {
        let cut = Partition { kernel: kernel()[..length].into(), ..Partition::good() };
        let sentence = match length {
            0..4 => "heliograph/kernel.elf is not an ELF file",
            _ => "heliograph/kernel.elf is truncated: it ends before what its headers announce",
        };
        assert_eq!(cut.refusal(), sentence);
    }
}

#[test]
fn a_kernel_changed_anywhere_is_refused() {
    for at in 0..kernel().len() {
        let mut changed = Partition::good();
        changed.kernel[at] ^= 0x10;
        assert!(changed.check().is_err(), "at {at}");
    }
    let longer = Partition { kernel: [kernel(), [0].into()].concat(), ..Partition::good() };
    assert_eq!(
        longer.refusal(),
        "heliograph/kernel.elf is not the file that was signed: it or heliograph/kernel.sig was changed or cut"
    );
}

#[test]
fn a_package_that_no_trusted_operator_signed_is_refused() {
    let stranger = Partition { package: package_by(&stranger()), ..Partition::good() };
    let refusal = stranger.refusal();
    assert!(refusal.starts_with("heliograph/package.rvf: package refused (trust): "), "{refusal}");
    let good = Partition::good().package;
    for length in 0..good.len() {
        let cut = Partition { package: good[..length].into(), ..Partition::good() };
        assert!(matches!(cut.check(), Err(Refusal::Package(_))), "at {length}");
    }
}
