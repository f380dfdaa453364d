//! Writes the part of the corpus that is made by hand: `cargo run -p fuzz
//! --example seeds`. What fuzzing found is beside it, under other names.
#![allow(clippy::unwrap_used, clippy::expect_used)]

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, name, bytes) in fuzz::seeds::all() {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}
