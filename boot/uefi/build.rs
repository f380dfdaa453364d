//! Takes the root key from the environment: the one key that a loader knows
//! before it has read anything.

fn main() {
    println!("cargo::rerun-if-env-changed=HELIOGRAPH_ROOT_KEY");
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("uefi") {
        return;
    }
    // The same sources give the same bytes: the time stamp is made from the
    // content, and no debug database, whose content depends on the folder,
    // is named in the file.
    println!("cargo::rustc-link-arg-bins=/Brepro");
    println!("cargo::rustc-link-arg-bins=/DEBUG:NONE");
    let is_key = |key: &str| key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    match std::env::var("HELIOGRAPH_ROOT_KEY") {
        Ok(key) if is_key(&key) => {}
        Ok(_) => println!("cargo::error=HELIOGRAPH_ROOT_KEY is not 64 hexadecimal digits"),
        Err(_) => println!(
            "cargo::error=HELIOGRAPH_ROOT_KEY is not set: give the root public key \
             as 64 hexadecimal digits (helio keys show --public root)"
        ),
    }
}
