//! A payload in C, with the header that `crates/sdk/include` has.

use std::path::Path;
use std::process::Command;

use helio::keys::Role;
use helio::pack::Recipe;
use integration::work::Work;
use integration::{artefacts, hosted};
use witness::manifest::Outcome;
use witness::verify::Expected;

use crate::keys;

/// Compilers that may be there and know the target, each as it is called.
const COMPILERS: [&[&str]; 4] = [
    &["clang", "--target=wasm32", "-nostdlib"],
    &["zig", "cc", "-target", "wasm32-freestanding", "-nostdlib"],
    &["python3", "-m", "ziglang", "cc", "-target", "wasm32-freestanding", "-nostdlib"],
    &["python", "-m", "ziglang", "cc", "-target", "wasm32-freestanding", "-nostdlib"],
];

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

#[test]
fn a_program_in_c_makes_its_calls() {
    let folder = artefacts::root().join("payload/c");
    let work = Work::new("c");
    let include = artefacts::root().join("crates/sdk/include");
    if !compiled(&folder.join("hello.c"), &work.path().join("hello.wasm"), &include) {
        println!("skipped: `pip install ziglang`, or install clang with lld, to have this tested");
        return;
    }
    let recipe = Recipe::read(&folder.join("package.toml")).unwrap();
    let keys = keys::fresh();
    let operator = keys.store.private(Role::Operator).unwrap();
    let package = recipe.gather(work.path()).unwrap().sign(&operator).unwrap();
    let left = hosted::run(package, &keys.store);
    left.log.verified(Expected::default());
    let end = left.task("hello");
    assert_eq!((end.outcome, end.code), (Outcome::Exit, 0), "{}", left.log);
    assert_eq!(left.console, "hello from C\n");
}
