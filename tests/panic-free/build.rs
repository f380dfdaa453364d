//! The program has no start and is never run: linking it is the test.

fn main() {
    println!("cargo::rustc-link-arg=-nostartfiles");
    println!("cargo::rustc-link-arg=-Wl,--entry=gate,--gc-sections,--undefined=receive");
    // For copying and comparing memory.
    println!("cargo::rustc-link-arg=-lc");
}
