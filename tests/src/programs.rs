//! Programs that others wrote, for WASI, as `make programs` builds them.

use helio::pack::program::Program;
use helio::pack::write::NamedBytes;
use witness::Hasher;

use crate::artefacts;

/// A program, what it is given, and what it then prints.
#[derive(Clone, Copy)]
pub struct Case {
    /// The program's file, without `.wasm`.
    pub program: &'static str,
    /// Its arguments.
    pub args: &'static [&'static str],
    /// Its files, which lie beside it.
    pub files: &'static [&'static str],
    /// Its standard input, which does too.
    pub stdin: Option<&'static str>,
    /// SHA-256 of what it prints, as found once with Wasmtime.
    pub prints: &'static str,
}

/// A compressor, with a file as its input.
pub const COMPRESSES: Case = Case {
    program: "bzip2",
    args: &["-1", "-c"],
    files: &[],
    stdin: Some("sample1.ref"),
    prints: "d4b442283e085497c528c0122c7ec64bf12aac422b3faff57b97de3378b7a7a4",
};

/// The same, which checks a file that it finds by its name.
pub const CHECKS: Case = Case {
    program: "bzip2",
    args: &["-tvv", "sample1.bz2"],
    files: &["sample1.bz2"],
    stdin: None,
    prints: "3faf8c796e3c9a6168f351b0dfac53793963c62641b4e945ad789c03e22910e5",
};

/// The floating-point results of a library of astronomy, with 20 digits.
pub const CALCULATES: Case = Case {
    program: "erfa",
    args: &["verbose"],
    files: &[],
    stdin: None,
    prints: "d7370d8eb00ee709fc3d4b994c347a3f46a6e53e3a85b249d79dd66b2d0cc24a",
};

/// An interpreter, which computes digits of pi by a script.
pub const INTERPRETS: Case = Case {
    program: "qjs",
    args: &["pi_bigint.js", "100"],
    files: &["pi_bigint.js"],
    stdin: None,
    prints: "9ad4af7d2e9dc98882e4a0361ca05425cd3eb34016e5202f119d02f89664a27c",
};

/// The same, with a script that imports another.
pub const IMPORTS: Case = Case {
    program: "qjs",
    args: &["test_closure.js"],
    files: &["test_closure.js", "assert.js"],
    stdin: None,
    prints: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
};

/// A program in Rust with its whole `std`.
pub const COUNTS: Case = Case {
    program: "words",
    args: &["LICENSE-APACHE"],
    files: &["LICENSE-APACHE"],
    stdin: None,
    prints: "4c560d1da8a08f1051c6d049ac3f33462e3995ae2cb9433ab541cd02f9e57ce9",
};

/// A program in AssemblyScript.
pub const SIEVES: Case = Case {
    program: "sieve",
    args: &["10000"],
    files: &[],
    stdin: None,
    prints: "961026ed876b4018f319d7e1c917af4201ca065c1605969e9afcb06b11b2a2ee",
};

/// All of them.
pub const CASES: [Case; 7] = [COMPRESSES, CHECKS, CALCULATES, INTERPRETS, IMPORTS, COUNTS, SIEVES];

impl Case {
    /// Its package, signed by the operator; none where the program could not
    /// be built here.
    pub fn package(&self) -> Option<Vec<u8>> {
        let folder = artefacts::build().join("programs");
        let module = folder.join(format!("{}.wasm", self.program));
        if !module.exists() {
            println!("skipped: there is no {}; `make programs` says why", module.display());
            return None;
        }
        let read = |name: &str| artefacts::read(&folder.join(name));
        let file = |name: &&str| NamedBytes { name: (*name).into(), bytes: read(name) };
        let program = Program {
            name: format!("{}.wasm", self.program),
            module: artefacts::read(&module),
            args: self.args.iter().map(|&word| word.into()).collect(),
            env: Vec::new(),
            files: self.files.iter().map(file).collect(),
            stdin: self.stdin.map(read),
            fuel: 100_000_000_000,
            memory: 32 << 20,
        };
        Some(program.contents().sign(&artefacts::operator()).unwrap())
    }

    /// Asserts that this is what it prints.
    #[track_caller]
    pub fn assert_printed(&self, printed: &[u8]) {
        let digest = witness::hex::encode(&Hasher::SOFTWARE.hash(printed));
        let text = String::from_utf8_lossy(printed);
        assert_eq!(digest, self.prints, "{} {:?}: {text}", self.program, self.args);
    }
}
