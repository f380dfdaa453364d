//! Running in this process.

use std::path::Path;

use witness::BootId;
use witness::verify::Expected;

use crate::console::{Escapes, Filter};
use crate::error::Result;
use crate::exit::ExitCode;
use crate::output::Output;
use crate::qemu::{End, MachineStatus};
use crate::session::hosted::{self, Start};
use crate::session::{self, CONSOLE, DISK};
use crate::{file, keys};

use super::{Run, report, show};

impl Run {
    pub(super) fn in_process(
        &self,
        output: Output,
        package: Vec<u8>,
        expected: Expected,
        out: &Path,
    ) -> Result<ExitCode> {
        let mut boot = BootId::default();
        keys::random(&mut boot)?;
        let start = Start {
            package,
            trust: self.parts.trust()?,
            device_key: keys::read_private(&self.parts.device_key_path())?,
            nonce: expected.nonce,
            boot,
        };
        let disk = out.join(DISK);
        let (mut console, mut filter) = (Vec::new(), Filter::new(Escapes::Drop));
        let ran = hosted::run(start, &disk, &mut |bytes| {
            console.extend_from_slice(bytes);
            show(output, &filter.pass(bytes));
        })?;
        file::write(&out.join(CONSOLE), &console)?;
        ran.reports.iter().for_each(|report| output.say(report));
        let status = match ran.succeeded {
            true => MachineStatus::Success,
            false => MachineStatus::TaskFailed,
        };
        let disk = file::read(&disk)?;
        let conclusion = session::conclude(&[&disk], out, self.device_key()?, expected)?;
        Ok(report(output, End::Machine(status), conclusion, &console))
    }
}
