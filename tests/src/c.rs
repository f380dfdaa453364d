//! A payload in C, with the header that `crates/sdk/include` has.

use std::path::Path;
use std::process::Command;

use helio::pack::{Contents, Recipe};

use crate::artefacts;
use crate::work::Work;

/// What it says.
pub const SAYS: &str = "hello from C\n";

/// Compilers that may be there and know the target, each as it is called.
const COMPILERS: [&[&str]; 4] = [
    &["clang", "--target=wasm32", "-nostdlib"],
    &["zig", "cc", "-target", "wasm32-freestanding", "-nostdlib"],
    &["python3", "-m", "ziglang", "cc", "-target", "wasm32-freestanding", "-nostdlib"],
    &["python", "-m", "ziglang", "cc", "-target", "wasm32-freestanding", "-nostdlib"],
];

/// The package in `payload/c`; none where there is no compiler for it.
pub fn contents() -> Option<Contents> {
    let folder = artefacts::root().join("payload/c");
    let work = Work::new("c");
    let include = artefacts::root().join("crates/sdk/include");
    if !compiled(&folder.join("hello.c"), &work.path().join("hello.wasm"), &include) {
        println!("skipped: `pip install ziglang`, or install clang with lld, to have this tested");
        return None;
    }
    Some(Recipe::read(&folder.join("package.toml")).unwrap().gather(work.path()).unwrap())
}

/// Compiles a program; whether there was a compiler that could.
fn compiled(source: &Path, into: &Path, include: &Path) -> bool {
    let mut complaints = Vec::new();
    for words in COMPILERS {
        let output = Command::new(words[0])
            .args(&words[1..])
            // Where `make programs` puts one.
            .env("PYTHONPATH", artefacts::build().join("programs/python"))
            .env("ZIG_GLOBAL_CACHE_DIR", artefacts::build().join("programs/cache"))
            .args([
                "-std=c11",
                "-O2",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wl,--no-entry,-z,stack-size=65536",
                "-I",
            ])
            .arg(include)
            .arg("-o")
            .args([into, source])
            .output();
        match output {
            Ok(output) if output.status.success() => return true,
            Ok(output) => complaints.push(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => complaints.push(error.to_string()),
        }
    }
    println!("no C compiler for wasm32: {complaints:#?}");
    false
}
