//! Hands the linker script to the linker, and asks for a flat image that can
//! run anywhere, when the program is built for a machine.

fn main() {
    println!("cargo::rerun-if-changed=direct.ld");
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| ".".into());
    println!("cargo::rustc-link-arg-bins=-T{here}/direct.ld");
    for argument in [
        "-pie",
        "--no-dynamic-linker",
        "--oformat=binary",
        "--gc-sections",
        "-znorelro",
        "--no-rosegment",
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
