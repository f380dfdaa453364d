//! What Limine wants on a disk (its CONFIG.md and USAGE.md, 8.x to 11).

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::arch::Arch;
use crate::error::{HelioError, Result};

use super::Spec;
use super::esp::paths;

/// The loaders from Limine's release folder, with their places on the disk.
pub(super) fn files(folder: &Path, arch: Arch) -> Result<Vec<(String, Vec<u8>)>> {
    let name = arch.removable_loader();
    let mut files = vec![(format!("EFI/BOOT/{name}"), part(folder, name)?)];
    if arch == Arch::X86_64 {
        files.push((paths::LIMINE_BIOS.into(), part(folder, "limine-bios.sys")?));
    }
    Ok(files)
}

fn part(folder: &Path, name: &str) -> Result<Vec<u8>> {
    std::fs::read(folder.join(name)).map_err(|error| {
        HelioError::input(
            "image",
            folder.join(name).display(),
            error,
            "give --limine-dir a folder of Limine's released binaries, \
             such as branch v8.x-binary of its repository",
        )
    })
}

/// `limine.conf`. Options were renamed over the versions (`kernel_path` to
/// `path`, `module_cmdline` to `module_string`); unknown ones are ignored, so
/// both names are given.
pub(super) fn configuration(spec: &Spec, command_line: &str) -> String {
    let kernel = paths::KERNEL;
    let mut text = format!(
        "timeout: 0\nquiet: yes\n\n/Heliograph\n    protocol: limine\n    \
         kernel_path: boot():/{kernel}\n    path: boot():/{kernel}\n    \
         kernel_cmdline: {command_line}\n    cmdline: {command_line}\n"
    );
    let modules = [
        ("package", paths::PACKAGE, spec.package.is_some()),
        ("trust", paths::TRUST, spec.trust.is_some()),
        ("device-key", paths::DEVICE_KEY, spec.device_key.is_some()),
        ("more", paths::MORE, spec.more.is_some()),
    ];
    for (name, path, present) in modules {
        if present {
            text += &format!(
                "    module_path: boot():/{path}\n    module_string: {name}\n    \
                 module_cmdline: {name}\n"
            );
        }
    }
    text
}

/// Writes Limine's first stages into the disk, as `limine bios-install` does:
/// with the release's own program where it was built, else by compiling the
/// `limine.c` that comes with it.
pub(super) fn install_bios(folder: &Path, disk: &Path) -> Result<()> {
    let built = folder.join("limine");
    if built.is_file() && succeeds(Command::new(&built).arg("--version")) {
        return bios_install(&built, disk);
    }
    let place = TempDir::new().map_err(|error| HelioError::write(Path::new("/tmp"), error))?;
    let program = place.path().join("limine");
    compile(&folder.join("limine.c"), &program)?;
    bios_install(&program, disk)
}

fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn compile(source: &Path, program: &Path) -> Result<()> {
    if !source.is_file() {
        return Err(HelioError::input(
            "image",
            source.display(),
            "not found",
            "give --limine-dir a whole binary release of Limine",
        ));
    }
    let output =
        Command::new("cc").arg("-O1").arg("-w").arg(source).arg("-o").arg(program).output();
    match output {
        Err(_) => Err(HelioError::Missing {
            what: "the C compiler cc, which builds Limine's BIOS installer".into(),
            advice: "install it (Debian: apt-get install gcc libc6-dev)".into(),
        }),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(HelioError::Failed {
            what: format!("cc {}", source.display()),
            reason: first_line(&output.stderr),
            advice: "build the limine program in that folder by hand (make) and try again".into(),
        }),
    }
}

fn bios_install(program: &Path, disk: &Path) -> Result<()> {
    let output = Command::new(program)
        .arg("bios-install")
        .arg(disk)
        .arg("--quiet")
        .output()
        .map_err(|error| HelioError::read(program, error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(HelioError::Failed {
        what: "limine bios-install".into(),
        reason: first_line(&output.stderr),
        advice: "use a Limine release from 8.0 on".into(),
    })
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no message").to_owned()
}
