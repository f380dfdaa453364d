//! A program on its own becomes a package: `helio run prog.wasm`.

use abi::{Kind, Rights};
use package::manifest::{CapabilityEntry, Limits, TaskEntry, TaskKind, WasiEntry};

use super::Contents;
use super::write::NamedBytes;

/// Name of the region that is standard input.
pub const STDIN: &str = "stdin";

/// Bytes that every module begins with.
pub const MAGIC: &[u8] = b"\0asm";

/// Most records of the run. A machine sets memory aside for each.
const RECORDS: u64 = 250_000;

/// A module, and what it is given.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name: of package, component and task, and its first argument.
    pub name: String,
    /// The module.
    pub module: Vec<u8>,
    /// Further arguments.
    pub args: Vec<String>,
    /// Variables, each `NAME=value`.
    pub env: Vec<String>,
    /// Files, by name.
    pub files: Vec<NamedBytes>,
    /// Standard input; none is an empty one.
    pub stdin: Option<Vec<u8>>,
    /// Fuel it may spend.
    pub fuel: u64,
    /// Bytes of linear memory it may have.
    pub memory: u32,
}

impl Program {
    /// The package: one task that may write to the console, wait, and read
    /// its files.
    pub fn contents(self) -> Contents {
        let Self { name, module, args, env, mut files, stdin, fuel, memory } = self;
        let given = |kind, name: &str, rights| CapabilityEntry { kind, name: name.into(), rights };
        let wasi = WasiEntry { args, env, stdin: stdin.as_ref().map(|_| STDIN.into()) };
        files.extend(stdin.map(|bytes| NamedBytes { name: STDIN.into(), bytes }));
        let mut capabilities = vec![
            given(Kind::Queue, "console", Rights::WRITE),
            given(Kind::Timer, "timer", Rights::READ),
        ];
        capabilities.extend(files.iter().map(|it| given(Kind::Region, &it.name, Rights::READ)));
        Contents {
            version: 1,
            seed: 0,
            limits: Limits {
                fuel,
                memory: memory.into(),
                records: RECORDS,
                share: Limits::DEFAULT_SHARE,
            },
            regions: files,
            queues: Vec::new(),
            vector_stores: Vec::new(),
            graph_stores: Vec::new(),
            sensors: Vec::new(),
            standing_approvals: Vec::new(),
            state_roots: None,
            tasks: vec![TaskEntry {
                name: name.clone(),
                component: name.clone(),
                kind: TaskKind::Command,
                priority: 0,
                deadline: None,
                fuel,
                memory,
                capabilities,
                wasi: (wasi != WasiEntry::default()).then_some(wasi),
            }],
            components: vec![NamedBytes { name: name.clone(), bytes: module }],
            name,
        }
    }
}

/// A name of a package's object that is as much like `text` as can be.
pub fn name_like(text: &str) -> String {
    let plain = |symbol: char| match symbol {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-' => symbol,
        _ => '-',
    };
    let name: String = text.chars().map(plain).take(abi::NAME_MAX).collect();
    match name.trim_start_matches(['.', '_', '-']) {
        "" => "program".into(),
        name => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use package::manifest::is_name;

    #[test]
    fn every_file_name_gives_a_name() {
        for (text, name) in [("a.wasm", "a.wasm"), ("ä b.wasm", "b.wasm"), ("..", "program")] {
            assert_eq!(name_like(text).trim_start_matches('-'), name);
            assert!(is_name(&name_like(text)));
        }
        assert!(is_name(&name_like(&"x".repeat(100))));
    }
}
