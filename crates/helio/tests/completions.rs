//! Completions: whole, and what the shells make of them.

use std::process::Command;

use crate::common::{helio_json, helio_text, put, text};
use clap::CommandFactory;
use helio::cli::Cli;

#[test]
fn the_command_line_is_without_contradictions() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_option_is_in_every_shells_script() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = helio_text(&["completions", shell]);
        assert_eq!(code, 0);
        for command in Cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            for option in command.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(script.contains(option), "{shell}: {} --{option}", command.get_name());
            }
        }
        let (_, json) = helio_json(&["completions", shell]);
        assert_eq!(json["script"].as_str().unwrap().trim_end(), script.trim_end());
    }
    assert_eq!(helio_text(&["completions", "tcsh"]).0, 2);
}

#[test]
fn bash_completes_commands_options_and_values() {
    let place = tempfile::tempdir().unwrap();
    let script = text(&place.path().join("helio.bash"));
    assert_eq!(helio_text(&["completions", "bash", "-o", &script]).0, 0);
    let complete = |words: &str| {
        let last = words.split(' ').count() - 1;
        let ask = format!(
            "source {script}; COMP_WORDS=({words}{}); COMP_CWORD={last}; \
             _helio helio \"${{COMP_WORDS[$COMP_CWORD]}}\" \"${{COMP_WORDS[$((COMP_CWORD-1))]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            if words.ends_with(' ') { "''" } else { "" }
        );
        let output = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("helio ver").trim(), "verify");
    assert_eq!(complete("helio keys gen").trim(), "generate");
    assert_eq!(complete("helio run --arch aa").trim(), "aarch64");
    assert!(complete("helio sign --k").lines().any(|word| word == "--kind"));
}

#[test]
fn zsh_and_fish_take_their_scripts() {
    let place = tempfile::tempdir().unwrap();
    for shell in ["zsh", "fish"] {
        if Command::new(shell).arg("--version").output().is_err() {
            println!("SKIPPED: {shell} is not installed, and its script was not tried");
            continue;
        }
        let (_, script, _) = helio_text(&["completions", shell]);
        let path = put(place.path(), shell, script.as_bytes());
        let output = Command::new(shell).arg("-n").arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
