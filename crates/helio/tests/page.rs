//! docs/HELIO.md says what the command does: its tables come from the command
//! line's own description. With `WRITE_FORMAT=1` they are put into the page
//! instead of being compared.

#[path = "../../witness/tests/common/page.rs"]
#[allow(dead_code, reason = "this page has other tables")]
mod tables;

use clap::{Arg, Command, CommandFactory};
use helio::cli::Cli;
use helio::config::setting::SETTINGS;
use helio::exit;

/// All blocks in one test, because they write to one file.
#[test]
fn the_page_says_what_the_command_does() {
    let mut cli = Cli::command();
    cli.build();
    tables::compare("HELIO.md", "exit-codes", &exit_codes());
    tables::compare("HELIO.md", "commands", &commands(&cli));
    tables::compare("HELIO.md", "settings", &settings());
    tables::compare("HELIO.md", "options", &options(&cli));
}

fn exit_codes() -> String {
    let mut table = String::from("| code | means |\n| --- | --- |\n");
    for line in exit::HELP.lines().skip(1) {
        let (code, means) = line.trim().split_once("  ").unwrap();
        table += &format!("| {code} | {means} |\n");
    }
    table
}

/// The commands that do something, those of a command behind it.
fn leaves(command: &Command, path: &str) -> Vec<(String, Command)> {
    let mut found = Vec::new();
    for sub in command.get_subcommands() {
        let path = format!("{path} {}", sub.get_name());
        // One with arguments of its own does something without those behind it.
        if !sub.is_subcommand_required_set() {
            found.push((path.clone(), sub.clone()));
        }
        found.extend(leaves(sub, &path));
    }
    found
}

fn commands(cli: &Command) -> String {
    let mut table = String::from("| command | does |\n| --- | --- |\n");
    for (path, command) in leaves(cli, "helio") {
        let link = path.replace(' ', "-");
        let does = one_line(&command.get_about().unwrap_or_default().to_string());
        table += &format!("| [`{path}`](#{link}) | {does} |\n");
    }
    table
}

fn settings() -> String {
    let mut table = String::from(
        "| setting | values | default | means | reaches the kernel as |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for it in &SETTINGS {
        let default = if it.default.is_empty() { "none" } else { it.default };
        table += &format!(
            "| `{}` | {} | {default} | {} | {} |\n",
            it.key,
            it.values(),
            one_line(it.meaning),
            it.reach
        );
    }
    table
}

fn options(cli: &Command) -> String {
    let mut text = String::new();
    for (path, command) in leaves(cli, "helio") {
        let is_own = |arg: &&Arg| !arg.is_global_set() && !arg.is_hide_set();
        let own: Vec<_> = command.get_arguments().filter(is_own).collect();
        let own: Vec<_> = own
            .into_iter()
            .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()))
            .collect();
        text +=
            &format!("\n### {path}\n\n{}.\n", one_line(&command.get_about().unwrap().to_string()));
        if own.is_empty() {
            continue;
        }
        text += "\n| option | means |\n| --- | --- |\n";
        for arg in own {
            text += &format!("| `{}` | {} |\n", name(arg), means(arg));
        }
    }
    text + "\n"
}

/// An option as one types it.
fn name(arg: &Arg) -> String {
    let values = arg.get_value_names().unwrap_or_default();
    let value = values.first().map(|it| it.as_str()).unwrap_or(arg.get_id().as_str());
    let value = arg.get_action().takes_values().then_some(value);
    let name = match (arg.get_short(), arg.get_long()) {
        (_, None) => return value.unwrap_or_default().to_owned(),
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
    };
    value.map_or(name.clone(), |value| format!("{name} {value}"))
}

fn means(arg: &Arg) -> String {
    let mut text = one_line(&arg.get_help().unwrap_or_default().to_string());
    let possible = arg.get_possible_values();
    if !possible.is_empty() && arg.get_action().takes_values() {
        let names: Vec<_> =
            possible.iter().map(|value| format!("`{}`", value.get_name())).collect();
        text += &format!(": {}", names.join(", "));
    }
    let defaults = arg.get_default_values();
    if let Some(default) = defaults.first().filter(|it| !it.is_empty()) {
        text += &format!(" [default: {}]", default.to_string_lossy());
    }
    if arg.is_required_set() && arg.get_long().is_some() {
        text += "; required";
    }
    text
}

fn one_line(text: &str) -> String {
    // A bar would end the cell, and an angle be taken for a tag.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('|', "\\|").replace('<', "\\<")
}
