//! Leaf 1: what differs between two runs of the same thing.

use super::{
    RecordError,
    bytes::{Reader, Writer},
};
use crate::{BootId, Hash};

macro_rules! named {
    ($(#[doc = $doc:literal])+ $name:ident: $($(#[doc = $vdoc:literal])+ $variant:ident = $number:literal, $text:literal;)*) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name { $($(#[doc = $vdoc])+ $variant = $number,)* }

        impl $name {
            /// Every value, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number in the record.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The value with this number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// Its name in manifests.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

named! {
    /// The architecture.
    Arch:
    /// Inside a program on a host.
    Hosted = 0, "hosted";
    /// x86-64.
    X86_64 = 1, "x86_64";
    /// AArch64.
    Aarch64 = 2, "aarch64";
}

named! {
    /// The board.
    Board:
    /// None: hosted.
    Hosted = 0, "hosted";
    /// A PC; QEMU's q35 or pc.
    Pc = 1, "pc";
    /// QEMU's virt.
    Virt = 2, "virt";
    /// Raspberry Pi 4.
    Rpi4 = 3, "rpi4";
}

/// Yes-or-no facts, bits 0 to 3 of the flags in the record. Bit 4, no nonce
/// was given, follows from [`MachineFacts::nonce`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(u16);

impl Flags {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// The log's device can flush.
    pub const FLUSHES: Self = Self(1);
    /// The log goes to a disk; else to the UART.
    pub const TO_DISK: Self = Self(1 << 1);
    /// The trust file is marked as one of development keys.
    pub const DEVELOPMENT_KEYS: Self = Self(1 << 2);
    /// A loader checked the kernel's signature.
    pub const KERNEL_CHECKED: Self = Self(1 << 3);

    const NO_NONCE: u16 = 1 << 4;

    /// Whether every flag in `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags in either.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

/// The body of leaf 1. A digest of something that is not there, or that
/// nobody measured, is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineFacts {
    /// The verifier's nonce, where one was given.
    pub nonce: Option<[u8; 32]>,
    /// SHA-256 of the signed checkpoint that ended the previous log.
    pub previous_checkpoint: Hash,
    /// Names this boot.
    pub boot_id: BootId,
    /// SHA-256 of the kernel's file.
    pub kernel: Hash,
    /// SHA-256 of the loader's file.
    pub loader: Hash,
    /// SHA-256 of the trust file.
    pub trust: Hash,
    /// The key that signs checkpoints and manifest.
    pub device_key: [u8; 32],
    /// Serial number of the board, zero where it has none.
    pub serial: u64,
    /// The architecture.
    pub arch: Arch,
    /// The board.
    pub board: Board,
    /// Yes-or-no facts.
    pub flags: Flags,
}

impl MachineFacts {
    pub(super) fn encode(&self, out: &mut Writer<'_>) {
        out.bytes(&self.nonce.unwrap_or_default());
        out.bytes(&self.previous_checkpoint);
        out.bytes(&self.boot_id);
        out.bytes(&self.kernel);
        out.bytes(&self.loader);
        out.bytes(&self.trust);
        out.bytes(&self.device_key);
        out.u64(self.serial);
        out.u8(self.arch.number());
        out.u8(self.board.number());
        let no_nonce = if self.nonce.is_none() { Flags::NO_NONCE } else { 0 };
        out.u16(self.flags.0 | no_nonce);
    }

    pub(super) fn decode(body: &mut Reader<'_>) -> Result<Self, RecordError> {
        let nonce = body.array()?;
        let mut facts = Self {
            nonce: Some(nonce),
            previous_checkpoint: body.array()?,
            boot_id: body.array()?,
            kernel: body.array()?,
            loader: body.array()?,
            trust: body.array()?,
            device_key: body.array()?,
            serial: body.u64()?,
            arch: Arch::from_number(body.u8()?).ok_or(RecordError::Field("architecture"))?,
            board: Board::from_number(body.u8()?).ok_or(RecordError::Field("board"))?,
            flags: Flags::NONE,
        };
        let flags = body.u16()?;
        if flags & !0x1f != 0 {
            return Err(RecordError::Field("machine flags"));
        }
        facts.flags = Flags(flags & 0xf);
        if flags & Flags::NO_NONCE != 0 {
            facts.nonce = None;
            if nonce != [0; 32] {
                return Err(RecordError::Field("nonce that was not given"));
            }
        }
        Ok(facts)
    }
}
