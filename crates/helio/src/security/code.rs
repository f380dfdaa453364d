//! Programs for the machine: what of them is both written and executed.

use boot_contract::Architecture;
use boot_contract::elf::Image;
use memchr::memmem;
use object::Endianness;
use object::elf::{self, FileHeader64};
use object::pe;
use object::read::elf::{FileHeader, ProgramHeader};
use object::read::pe::PeFile64;

use super::{Findings, Severity};

/// Looks at an ELF file or a UEFI program.
pub(super) fn look(place: &str, bytes: &[u8], findings: &mut Findings) {
    let looked = match bytes.starts_with(b"\x7fELF") {
        true => elf(place, bytes, findings),
        false => pe(place, bytes, findings),
    };
    if let Err(error) = looked {
        findings.add(
            Severity::Medium,
            "unreadable-program",
            place,
            format!("it cannot be read as a program: {error}"),
            "build it again",
        );
    }
    if bytes.starts_with(b"\x7fELF") && has_shell(bytes) {
        findings.add(
            Severity::Low,
            "shell-in-kernel",
            place,
            "the kernel has the shell: who reaches the console can stop the machine, feed it and switch it off",
            "build a release kernel without the feature kernel-shell",
        );
    }
}

fn elf(place: &str, bytes: &[u8], findings: &mut Findings) -> object::read::Result<()> {
    let header = FileHeader64::<Endianness>::parse(bytes)?;
    let endian = header.endian()?;
    for (number, segment) in header.program_headers(endian, bytes)?.iter().enumerate() {
        let (kind, flags) = (segment.p_type(endian), segment.p_flags(endian));
        let is_both = flags.contains(elf::PF_W) && flags.contains(elf::PF_X);
        if kind == elf::PT_LOAD && is_both {
            let (address, size) = (segment.p_vaddr(endian), segment.p_memsz(endian));
            findings.add(
                Severity::High,
                "writable-code",
                place,
                format!(
                    "segment {number}, {size} bytes at {address:#x}, is both written and executed"
                ),
                "link code and data into segments of their own; our loaders refuse such a kernel",
            );
        } else if kind == elf::PT_GNU_STACK && flags.contains(elf::PF_X) {
            findings.add(
                Severity::Low,
                "executable-stack",
                place,
                "it asks for a stack that can be executed",
                "link with -z noexecstack; our kernel's stacks cannot be executed whatever it says",
            );
        }
    }
    let architecture = match header.e_machine(endian) {
        elf::EM_X86_64 => Some(Architecture::X86_64),
        elf::EM_AARCH64 => Some(Architecture::Aarch64),
        _ => None,
    };
    if let Some(Err(error)) = architecture.map(|it| Image::read(bytes, it).map(drop)) {
        findings.add(
            Severity::Medium,
            "refused-kernel",
            place,
            format!("our loaders refuse it as a kernel: it {error}"),
            "give kernel.elf as `helio trim` writes it, if it is to be booted",
        );
    }
    Ok(())
}

fn pe(place: &str, bytes: &[u8], findings: &mut Findings) -> object::read::Result<()> {
    let file: PeFile64<'_> = PeFile64::parse(bytes)?;
    for section in file.section_table().iter() {
        let flags = section.characteristics.get(object::LittleEndian);
        let is_both =
            flags.contains(pe::IMAGE_SCN_MEM_WRITE) && flags.contains(pe::IMAGE_SCN_MEM_EXECUTE);
        if is_both {
            let name = String::from_utf8_lossy(section.raw_name()).escape_debug().to_string();
            findings.add(
                Severity::High,
                "writable-code",
                place,
                format!("section {name} is both written and executed"),
                "link code and data into sections of their own",
            );
        }
    }
    Ok(())
}

/// Whether a kernel has the shell: what explains its commands. A compiler may
/// take one text or the other apart, so most of them are enough.
fn has_shell(kernel: &[u8]) -> bool {
    let commands = rvsh::command::COMMANDS;
    let has = |text: &str| memmem::find(kernel, text.as_bytes()).is_some();
    let found = commands.iter().filter(|command| has(command.help)).count();
    found * 2 > commands.len()
}
