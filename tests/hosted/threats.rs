//! `docs/THREATS.md` names a test for each line; here those names are held to
//! the sources.

use std::fs;
use std::path::Path;

use integration::artefacts::root;

/// Folders that hold sources.
const FOLDERS: [&str; 6] = ["boot", "crates", "hal", "kernel", "payload", "tests"];

/// The text of every source file.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_and_file_that_the_threats_name_is_there() {
    let threats = fs::read_to_string(root().join("docs/THREATS.md")).unwrap();
    let mut code = String::new();
    FOLDERS.iter().for_each(|folder| sources(&root().join(folder), &mut code));
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_/.-".contains(c);
    let (mut tests, mut files) = (0, 0);
    for word in threats.split(|c: char| !is_part(c)).map(|it| it.trim_end_matches('.')) {
        if FOLDERS.iter().any(|folder| word.starts_with(&format!("{folder}/"))) {
            let package = root().join(format!("{word}.toml"));
            assert!(root().join(word).exists() || package.exists(), "{word}");
            files += 1;
        } else if word.matches('_').count() > 1 {
            assert!(code.contains(&format!("fn {word}(")), "{word}");
            tests += 1;
        }
    }
    assert!(tests > 10 && files > 10, "{tests} tests and {files} files are named");
    assert!(located(&threats) > 10);
}

/// Counts the tests that are named with their file: "`file.rs`: one, another".
fn located(threats: &str) -> usize {
    let mut count = 0;
    for part in threats.split(['|', ';', '\n']) {
        let Some((file, names)) = part.split_once("`: ") else { continue };
        let Some((_, file)) = file.rsplit_once('`').filter(|(_, file)| file.ends_with(".rs"))
        else {
            continue;
        };
        let text = fs::read_to_string(root().join(file)).unwrap();
        for name in names.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            if name.matches('_').count() > 1 {
                assert!(text.contains(&format!("fn {name}(")), "{name} is not in {file}");
                count += 1;
            }
        }
    }
    count
}
