//! A machine without a log disk: the log comes over the serial port, between
//! the lines of the console. And a PC whose serial port is elsewhere, or which
//! has none.

use std::io::Write;

use integration::{Arch, MachineStatus, Trial};
use tempfile::NamedTempFile;
use witness::checkpoint::Checkpoint;
use witness::frame::uart::{Piece, Reader};
use witness::frame::{Frame, FrameKind};
use witness::note;
use witness::record::{Body, Flags, Record};

use crate::regress;

fn the_log_comes_over_the_serial_port(arch: Arch) {
    let (left, facts) = regress::runs(Trial::on(arch).without_log_disk());
    assert!(left.disk.is_none());
    let flags = facts.machine.unwrap().flags;
    assert!(!flags.contains(Flags::TO_DISK) && !flags.contains(Flags::FLUSHES), "{flags:?}");
    // No frame was left on a person's screen.
    assert!(left.serial.contains(&0x1e) && !left.console().contains("HG "), "{}", left.console());
    assert_is_shown_after_it_is_signed(&left.serial, &regress::hosted().console);
}

#[test]
fn a_log_over_the_serial_port_verifies_on_aarch64() {
    the_log_comes_over_the_serial_port(Arch::Aarch64);
}

/// Another UART.
#[test]
fn a_log_over_the_serial_port_verifies_on_x86_64() {
    the_log_comes_over_the_serial_port(Arch::X86_64);
}

/// A PC whose UART is at COM2, where nobody looks for it unasked.
fn with_com2() -> Trial {
    let uart = ["-global", "isa-serial.iobase=0x2f8", "-global", "isa-serial.irq=3"];
    Trial::on(Arch::X86_64).arguments(&uart)
}

#[test]
fn a_pc_without_a_console_runs_in_silence_and_its_log_is_on_the_disk() {
    let trial = with_com2();
    let expected = regress::expected(&trial);
    let left = trial.words(&regress::nonce()).run().ended(MachineStatus::Success);
    assert_eq!(left.kernel_lines(), [""; 0]);
    let log = left.log();
    log.verified(expected);
    log.assert_same_records(&regress::hosted().log);
}

#[test]
fn a_pc_with_neither_console_nor_log_disk_refuses_to_run() {
    with_com2().without_log_disk().run().ended(MachineStatus::InitFailed);
}

#[test]
fn a_pcs_console_is_where_acpi_says() {
    // An SPCR behind its header: a 16550 at port 0x2f8, ISA interrupt 3, and
    // the same as a global one.
    let mut table = [0; 44];
    table[4..14].copy_from_slice(&[1, 8, 0, 1, 0xf8, 2, 0, 0, 0, 0]);
    table[16..19].copy_from_slice(&[3, 3, 3]);
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&table).unwrap();
    let acpi = format!("sig=SPCR,rev=2,data={}", file.path().display());
    let trial = with_com2().arguments(&["-acpitable", &acpi]);
    let mut machine = trial.words("test=input").start();
    machine.expect("[kernel] PC: 16550 at port 0x2f8, local and I/O APIC, ");
    machine.expect("[kernel] type a line\r\n");
    machine.send("heard\r");
    machine.wait().ended(MachineStatus::Success);
}

/// Asserts that each byte a task sent to the console comes behind a signed
/// checkpoint over the record of its sending. Here one line carries both, so
/// their order is there to be seen.
fn assert_is_shown_after_it_is_signed(serial: &[u8], text: &str) {
    let text = text.replace('\n', "\r\n");
    let mut console = Vec::new();
    let mut records: Vec<Vec<u8>> = Vec::new();
    // How far the console was when a checkpoint came, and how many bytes of
    // the task's the records under it had sent.
    let mut checkpoints = vec![(0, 0)];
    Reader::new().push(serial, &mut |piece| match piece {
        Piece::Console(bytes) => console.extend_from_slice(bytes),
        Piece::Frame(frame) => match frame.kind {
            FrameKind::Entries => records.extend(frame_entries(&frame)),
            FrameKind::Checkpoint => {
                let sent = records[..covered(&frame)].iter().map(|it| sent(it)).sum::<usize>();
                checkpoints.push((console.len(), sent));
            }
            FrameKind::Manifest | FrameKind::Pad => {}
        },
        Piece::Start => {}
        Piece::Lost | Piece::Damaged(_) => panic!("the log is damaged"),
    });
    let begin = console.windows(text.len()).position(|part| part == text.as_bytes()).unwrap();
    let shown = |at: usize| {
        let part = &text[..at.clamp(begin, begin + text.len()) - begin];
        part.len() - part.matches('\r').count()
    };
    let ends = checkpoints[1..].iter().map(|(at, _)| *at).chain([console.len()]);
    for ((_, signed), end) in checkpoints.iter().zip(ends) {
        assert!(shown(end) <= *signed, "{} bytes shown, {signed} signed for", shown(end));
    }
    assert_eq!(shown(console.len()), checkpoints.last().unwrap().1);
}

fn frame_entries(frame: &Frame<'_>) -> Vec<Vec<u8>> {
    let mut rest = frame.payload;
    let mut entries = Vec::new();
    while let Some((length, more)) = rest.split_first_chunk() {
        let (entry, more) = more.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        rest = more;
    }
    entries
}

/// How many records a checkpoint covers.
fn covered(frame: &Frame<'_>) -> usize {
    let note = note::parse(frame.text().unwrap()).unwrap();
    Checkpoint::parse(note.text).unwrap().size as usize
}

/// How many bytes a record says were sent to the console.
fn sent(record: &[u8]) -> usize {
    match Record::decode(record).unwrap().body {
        Body::Call(call) if call.call == abi::Call::QueueSend => call.length as usize,
        _ => 0,
    }
}
