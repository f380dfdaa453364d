//! What `make build` left.

use std::fs;
use std::path::{Path, PathBuf};

use helio::keys::{Role, Store};
use helio::{Arch, keys};
use witness::note::SigningKey;
use witness::signature::{self, FileKind};
use witness::{Hasher, key};

/// The root of the source tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Where `make` puts what it builds.
pub fn build() -> PathBuf {
    root().join("build")
}

/// Where the kernel for an architecture lies.
pub fn kernel_path(arch: Arch) -> PathBuf {
    build().join(arch.name()).join("kernel.elf")
}

/// Where the same kernel lies with its symbols.
pub fn symbols_path(arch: Arch) -> PathBuf {
    kernel_path(arch).with_extension("debug")
}

/// The kernel.
pub fn kernel(arch: Arch) -> Vec<u8> {
    read(&kernel_path(arch))
}

/// Our UEFI loader.
pub fn loader(arch: Arch) -> Vec<u8> {
    read(&build().join(arch.name()).join("loader.efi"))
}

/// Where the AArch64 direct boot image lies.
pub fn direct_image() -> PathBuf {
    build().join("aarch64/direct.img")
}

/// A payload's package.
pub fn package(name: &str) -> Vec<u8> {
    read(&build().join("packages").join(format!("{name}.rvf")))
}

/// The development keys.
pub fn keys() -> Store {
    let store = Store::at(&build().join("keys"));
    read(&store.private_path(Role::Operator));
    store
}

/// The key that signs packages and kernels.
pub fn operator() -> SigningKey {
    keys().private(Role::Operator).unwrap()
}

/// A kernel's detached signature by the operator with this key.
pub fn signature(kernel: &[u8], key: &SigningKey) -> Vec<u8> {
    let path = keys().private_path(Role::Operator);
    let name = keys::operator_name(&path, &key::public(&operator()));
    let digest = Hasher::SOFTWARE.hash(kernel);
    signature::sign(FileKind::Kernel, &digest, &name, key).into_bytes()
}

/// The `helio` command, which cargo puts beside the folder of test programs.
pub fn helio() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let path = program.ancestors().nth(2).unwrap().join("helio");
    assert!(path.is_file(), "{}: run `make test-qemu`, which builds it", path.display());
    path
}

/// The folder of Limine's released binaries, where somebody gave one.
pub fn limine() -> Option<PathBuf> {
    std::env::var_os("LIMINE_DIR").map(PathBuf::from)
}

/// Reads something that a build leaves.
pub fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| {
        panic!("{}: {error}; run `make test-qemu`, which builds it", path.display())
    })
}
