//! A machine about to be started.

use std::time::Duration;

use helio::Arch;
use helio::image::{Spec, Start};
use helio::keys::Role;
use helio::qemu::{Boot, Machine};
use helio::session::emulated::{self, Way};

use crate::artefacts;
use crate::disk::{self, Change};
use crate::machine::{Left, Running};
use crate::work::Work;

/// Wall time after which a machine has failed. Nothing here takes a minute
/// alone on two cores; the rest is for machines with other things to do.
const LIMIT: Duration = Duration::from_secs(240);

/// A machine, and everything it is started with.
pub struct Trial {
    /// What goes on its disk, or into its archive.
    pub spec: Spec,
    way: Way,
    log_disk: bool,
    arguments: Vec<String>,
    changes: Vec<Change>,
    configuration: Option<&'static str>,
    tree: Tree,
}

/// What a board is described by.
enum Tree {
    /// What `helio run` describes it by.
    Usual,
    /// This.
    Blob(Vec<u8>),
    /// Nothing.
    None,
}

impl Trial {
    /// A machine that runs the package `regress` with the built kernel and
    /// the development keys.
    pub fn new(arch: Arch, way: Way) -> Self {
        let kernel = artefacts::kernel(arch);
        let keys = artefacts::keys();
        let start = match way {
            Way::Uefi => Start::Uefi(artefacts::loader(arch)),
            Way::Direct | Way::Card => Start::None,
            Way::LimineUefi | Way::LimineBios => {
                Start::Limine(artefacts::limine().expect("LIMINE_DIR"))
            }
        };
        let spec = Spec {
            arch,
            start,
            kernel_signature: Some(artefacts::signature(&kernel, &artefacts::operator())),
            kernel,
            package: Some(artefacts::package("regress")),
            trust: Some(artefacts::read(&keys.trust_path())),
            device_key: Some(artefacts::read(&keys.private_path(Role::Device))),
            more: None,
            command_line: String::new(),
        };
        Self {
            spec,
            way,
            log_disk: true,
            arguments: Vec::new(),
            changes: Vec::new(),
            configuration: None,
            tree: Tree::Usual,
        }
    }

    /// The way that costs least: AArch64 without firmware.
    pub fn quick() -> Self {
        Self::new(Arch::Aarch64, Way::Direct)
    }

    /// The cheapest way on an architecture that needs nothing but this tree.
    pub fn on(arch: Arch) -> Self {
        match arch {
            Arch::X86_64 => Self::new(arch, Way::Uefi),
            Arch::Aarch64 => Self::quick(),
        }
    }

    /// With words on the kernel's command line.
    pub fn words(mut self, words: &str) -> Self {
        self.spec.command_line = format!("{} {words}", self.spec.command_line).trim().into();
        self
    }

    /// With another package.
    pub fn package(mut self, package: Vec<u8>) -> Self {
        self.spec.package = Some(package);
        self
    }

    /// With a further package, for somebody to mount.
    pub fn more(mut self, package: Vec<u8>) -> Self {
        self.spec.more = Some(package);
        self
    }

    /// With another file in this place on the boot partition, or with none:
    /// for what `helio image` would not put there.
    pub fn file(mut self, path: &'static str, bytes: Option<Vec<u8>>) -> Self {
        self.changes.push(Change { path, bytes });
        self
    }

    /// With more arguments for QEMU.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// With another device tree on the Raspberry Pi.
    pub fn tree(mut self, blob: Vec<u8>) -> Self {
        self.tree = Tree::Blob(blob);
        self
    }

    /// Without one.
    pub fn without_tree(mut self) -> Self {
        self.tree = Tree::None;
        self
    }

    /// Without a log disk: the log leaves by the serial port.
    pub fn without_log_disk(mut self) -> Self {
        self.log_disk = false;
        self
    }

    /// From a card that `helio flash` writes, of what `make build` left, with
    /// this configuration.
    pub fn flashed(mut self, configuration: &'static str) -> Self {
        self.configuration = Some(configuration);
        self
    }

    /// Starts it.
    pub fn start(self) -> Running {
        let work = Work::new(&format!("{}-{:?}", self.spec.arch, self.way).to_lowercase());
        let image = artefacts::direct_image();
        if matches!(self.way, Way::Direct | Way::Card) {
            artefacts::read(&image);
        }
        let mut machine = match self.way {
            Way::Card => {
                let mut boot = emulated::card(&self.spec, &image, work.path()).unwrap();
                if let Boot::Card { tree, .. } = &mut boot {
                    match &self.tree {
                        Tree::Usual => {}
                        Tree::Blob(blob) => {
                            let (path, _) = tree.as_ref().unwrap();
                            std::fs::write(path, blob).unwrap();
                        }
                        Tree::None => *tree = None,
                    }
                }
                Machine::new(self.spec.arch, boot, work.path()).unwrap()
            }
            way => emulated::machine(way, &self.spec, &image, work.path()).unwrap(),
        };
        disk::change(&work.path().join("disk.img"), &self.changes);
        if let Some(configuration) = self.configuration {
            disk::flash(&self.spec, configuration, work.path());
        }
        machine = machine.arguments(self.arguments).limit(LIMIT);
        if !self.log_disk {
            machine = machine.without_log_disk();
        }
        let disk = self.log_disk.then(|| machine.log_disk_path());
        let run = machine.start().unwrap_or_else(|error| panic!("{error}"));
        Running::new(run, disk, work)
    }

    /// Starts it and waits for its end.
    pub fn run(self) -> Left {
        self.start().wait()
    }
}
