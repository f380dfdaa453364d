//! The loader's messages: on firmware's console, and on a serial port if that
//! does not reach one.

use alloc::format;
use core::fmt::{self, Write};

use boot_uefi::console::reaches_serial_port;
use uefi::proto::console::serial::Serial;
use uefi::runtime::{self, VariableVendor};
use uefi::{boot, cstr16, system, table};

/// Prints a line.
pub fn say(text: fmt::Arguments<'_>) {
    if !has_console() {
        return;
    }
    let line = format!("[loader] {text}\r\n");
    // What cannot be shown cannot be helped: there is no other place.
    let _ = system::with_stdout(|console| console.write_str(&line));
    if !console_is_serial() {
        serial(&line);
    }
}

/// Whether boot services, and with them the console, are still there.
fn has_console() -> bool {
    let Some(table) = table::system_table_raw() else { return false };
    // SAFETY: the system table is there for as long as the loader is; its
    // pointers to boot services are null once they are gone.
    let table = unsafe { table.as_ref() };
    !table.boot_services.is_null() && !table.stdout.is_null()
}

fn console_is_serial() -> bool {
    let mut paths = [0; 1024];
    let found =
        runtime::get_variable(cstr16!("ConOut"), &VariableVendor::GLOBAL_VARIABLE, &mut paths);
    found.is_ok_and(|(paths, _)| reaches_serial_port(paths))
}

fn serial(line: &str) {
    let Ok(handle) = boot::get_handle_for_protocol::<Serial>() else { return };
    let Ok(mut port) = boot::open_protocol_exclusive::<Serial>(handle) else { return };
    let _ = port.write_exact(line.as_bytes());
}
