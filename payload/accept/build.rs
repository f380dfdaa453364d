//! Link arguments of the Wasm program: a small stack below the data, so that
//! overflowing it traps, and a memory that cannot grow.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        for argument in ["-z", "stack-size=65536", "--stack-first", "--max-memory=524288"] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
}
