//! Where firmware's console goes.

/// Whether a device path, or one of several in a row, leads to a serial port
/// (UEFI 2.10, section 10.3.4.14: messaging device path, UART).
///
/// This is what firmware keeps in its variable `ConOut`; where it names no
/// serial port, the loader has to write to it by itself.
pub fn reaches_serial_port(mut paths: &[u8]) -> bool {
    const MESSAGING_UART: [u8; 2] = [3, 14];
    const HEADER: usize = 4;
    while let [kind, sub_kind, low, high, ..] = *paths {
        if [kind, sub_kind] == MESSAGING_UART {
            return true;
        }
        let length = usize::from(u16::from_le_bytes([low, high])).max(HEADER);
        paths = paths.get(length..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uart_is_found_in_any_path_at_any_place() {
        let screen = [2, 1, 12, 0, 0xd0, 0x41, 3, 10, 0, 0, 0, 0, 0x7f, 1, 4, 0];
        let uart = [3, 14, 19, 0, 0, 0, 0, 0, 0, 0xc2, 1, 0, 0, 0, 0, 0, 8, 1, 1];
        assert!(!reaches_serial_port(&screen));
        assert!(reaches_serial_port(&uart));
        assert!(reaches_serial_port(&[screen.as_slice(), &uart].concat()));
        assert!(!reaches_serial_port(&[]));
        assert!(!reaches_serial_port(&[2, 1, 0, 0, 3, 14, 4]), "cut");
        assert!(!reaches_serial_port(&[2, 1, 200, 0, 3, 14, 4, 0]), "beyond the end");
    }
}
