//! Hands the linker script to the linker, when the kernel is built for a
//! machine rather than tested on the host.

fn main() {
    println!("cargo:rerun-if-changed=kernel.ld");
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| ".".into());
    println!("cargo:rustc-link-arg-bins=-T{here}/kernel.ld");
    for argument in [
        "-zmax-page-size=4096",
        "-znorelro",
        "--no-dynamic-linker",
        "--no-eh-frame-hdr",
        "--gc-sections",
    ] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
