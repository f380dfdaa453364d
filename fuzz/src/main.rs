#![no_main]
//! The targets under libFuzzer: `make fuzz TARGET=record`.

use libfuzzer_sys::Corpus;
use std::sync::LazyLock;

static TARGET: LazyLock<&fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    fuzz::target(&name).unwrap_or_else(|| {
        let names: Vec<_> = fuzz::TARGETS.iter().map(|target| target.name).collect();
        eprintln!("fuzz: FUZZ_TARGET=\"{name}\" is not one of {}", names.join(" "));
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> Corpus {
    if input.len() > TARGET.length_max {
        return Corpus::Reject;
    }
    (TARGET.run)(input);
    Corpus::Keep
});
