//! Counts words, with what `std` has for files, maps, time and processes: a
//! program that knows of nothing but WASI.

use std::collections::HashMap;
use std::io::{self, Read};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

fn main() -> io::Result<ExitCode> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    for name in env::args().skip(1) {
        text += &fs::read_to_string(name)?;
    }
    // Its order hangs on random bytes.
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in text.split_ascii_whitespace() {
        *counts.entry(word).or_default() += 1;
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by_key(|&(word, count)| (std::cmp::Reverse(count), word));
    for (word, count) in sorted.iter().take(10) {
        println!("{count:>6} {word}");
    }
    let mut names: Vec<_> =
        fs::read_dir("/")?.map(|it| it.map(|it| it.file_name())).collect::<Result<_, _>>()?;
    names.sort();
    println!("files {names:?}");
    println!("cannot write: {}", fs::write("new", "text").is_err());
    let begin = Instant::now();
    thread::sleep(Duration::from_millis(20));
    println!("slept: {}", begin.elapsed() >= Duration::from_millis(20));
    Ok(if sorted.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
