//! `info`: what the machine is and what it runs.

use alloc::string::String;

use ::witness::hex::Hex;
use ::witness::json::{Object, Value};
use ::witness::record::Flags;
use package::Manifest;

use crate::answer::{Answer, Refusal};
use crate::command::{Command, Request};
use crate::commands::{Short, counted, number, optional};
use crate::table::Table;
use crate::units::{Bytes, Seconds};
use crate::view::{View, activity};

pub(crate) const COMMAND: Command = Command {
    name: "info",
    arguments: "",
    help: "what this machine is and what it runs",
    details: "The kernel, the device that signs the log, the verifier's nonce, the package,\n\
              logical time, memory and the log. Everything here but time, memory and the\n\
              log's size is in the log's first two records.",
    json: true,
    completes: &[],
    run,
};

fn run(request: &Request<'_>) -> Result<Answer, Refusal> {
    request.no_arguments()?;
    Ok(match request.json {
        true => Answer::json(&json(request.view)),
        false => Answer::text(text(request.view)),
    })
}

fn text(view: &dyn View) -> String {
    let (machine, nucleus) = (view.machine(), view.nucleus());
    let (log, clock) = (nucleus.log(), nucleus.clock());
    let facts = &machine.facts;
    let has = |flag| facts.flags.contains(flag);
    let mut table = Table::of_pairs();
    let (arch, board) = (facts.arch.name(), facts.board.name());
    table.pair("kernel", format_args!("Heliograph {} on {arch}, board {board}", machine.version));
    table.pair(
        "checked",
        match has(Flags::KERNEL_CHECKED) {
            true => "a loader checked the kernel's signature",
            false => "nobody checked the kernel's signature",
        },
    );
    table.pair("device", machine.device_name);
    table.pair("device key", Hex(&facts.device_key));
    if has(Flags::DEVELOPMENT_KEYS) {
        table.pair("", "development keys: they show how it works and vouch for nothing");
    }
    table.pair("boot", Hex(&facts.boot_id));
    match &facts.nonce {
        Some(nonce) => table.pair("nonce", Hex(nonce)),
        None => table.pair("nonce", "none was given"),
    }
    match &machine.package {
        Some(it) => {
            let Manifest { name, version, seed, .. } = it;
            table.pair("package", format_args!("{name}, version {version}, seed {seed}"));
        }
        None => table.pair("package", "refused: see `witness show 2`"),
    }
    table.pair("", format_args!("SHA-256 {}", Hex(&machine.package_digest)));
    table.pair("profile", abi::profile::NAME);
    let slices = counted(clock.slice(), "slice");
    let time = Seconds(clock.now_ns());
    table.pair("time", format_args!("{time} logical, {slices}, {}", activity(nucleus)));
    if let Some(heap) = &machine.heap {
        table.pair("heap", format_args!("{} used of {}", Bytes(heap.used), Bytes(heap.size)));
    }
    let sealed = counted(log.size(), "record");
    table.pair(
        "log",
        format_args!("{sealed} sealed, {} pending, root {}", log.pending(), Short(&log.root())),
    );
    table.pair(
        "",
        match (has(Flags::TO_DISK), has(Flags::FLUSHES)) {
            (true, true) => "goes to a disk that can flush",
            (true, false) => "goes to a disk that cannot flush",
            (false, _) => "goes to the serial line: nothing here keeps it",
        },
    );
    table.render()
}

fn json(view: &dyn View) -> Value {
    let (machine, nucleus) = (view.machine(), view.nucleus());
    let (log, clock) = (nucleus.log(), nucleus.clock());
    let facts = &machine.facts;
    let has = |flag| facts.flags.contains(flag);
    let package = machine.package.map(|it| {
        Object::new()
            .with("name", it.name.as_str())
            .with("seed", Value::decimal(it.seed))
            .with("version", number(it.version))
    });
    let heap = machine
        .heap
        .map(|it| Object::new().with("size", number(it.size)).with("used", number(it.used)));
    Object::new()
        .with("activity", activity(nucleus))
        .with("arch", facts.arch.name())
        .with("board", facts.board.name())
        .with("boot_id", Value::hex(&facts.boot_id))
        .with("development_keys", has(Flags::DEVELOPMENT_KEYS))
        .with("device", machine.device_name)
        .with("device_key", Value::hex(&facts.device_key))
        .with("heap", optional(heap))
        .with("kernel_checked", has(Flags::KERNEL_CHECKED))
        .with("log_flushes", has(Flags::FLUSHES))
        .with("log_pending", number(log.pending() as u64))
        .with("log_root", Value::hex(&log.root()))
        .with("log_sealed", number(log.size()))
        .with("log_to_disk", has(Flags::TO_DISK))
        .with("nonce", optional(facts.nonce.map(|nonce| Value::hex(&nonce))))
        .with("package", optional(package))
        .with("package_digest", Value::hex(&machine.package_digest))
        .with("profile", abi::profile::NAME)
        .with("slices", number(clock.slice()))
        .with("time_ns", Value::decimal(clock.now_ns()))
        .with("version", machine.version)
        .into()
}

#[cfg(test)]
mod tests {
    use crate::{execute, sample::Sample};

    #[test]
    fn what_it_says_is_what_the_view_holds() {
        let sample = Sample::new();
        let text = execute("info", &sample).text;
        for line in [
            "kernel      Heliograph 9.9.9 on x86_64, board pc\n",
            "checked     nobody checked the kernel's signature\n",
            "nonce       none was given\n",
            "package     sample, version 3, seed 42\n",
            "time        0.005002 s logical, 52 slices, running\n",
            "heap        1.0 MiB used of 64.0 MiB\n",
            "log         7 records sealed, 3 pending, root ",
            "            goes to a disk that can flush\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        let json = execute("info -j", &sample).text;
        assert!(
            json.contains("\"arch\":\"x86_64\"") && json.contains("\"log_pending\":3"),
            "{json}"
        );
    }

    #[test]
    fn a_refused_package_is_said_so() {
        let sample = Sample::empty();
        let text = execute("info", &sample).text;
        assert!(text.contains("package     refused: see `witness show 2`\n"), "{text}");
        assert!(execute("info -j", &sample).text.contains("\"package\":null"));
    }
}
