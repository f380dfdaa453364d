//! Lists of directives, as bytes.
//!
//! ```text
//! list      = "heliograph wasm tests 1\n" file*
//! file      = text:name u32:directives directive*
//! directive = 0
//!           | 1 u32:slot bytes:module            translate and instantiate
//!           | 2 u32:slot bytes:module            translate only
//!           | 3 u32:slot u32:instance            instantiate what was translated
//!           | 4 u32:instance text:name           others may import it from now on
//!           | 5 action                           must not trap
//!           | 6 action u32 pattern*              must give these
//!           | 7 action byte:trap                 must trap so
//!           | 8 bytes:module                     must not be translated
//!           | 9 bytes:module                     must not be linked
//!           | 10 bytes:module byte:trap          must trap while it is set up
//!           | 11 u64:fuel u32:memory bytes:module
//! action    = u32:instance byte:get text:name u32 value*
//! text      = bytes that are UTF-8
//! bytes     = u32:length byte*
//! ```
//!
//! Numbers are little-endian. Instances and translated modules have numbers
//! that the list gives them. Traps have wasmi's numbers, values and patterns
//! those of [`Value`] and [`Pattern`].

use alloc::vec::Vec;
use core::fmt;

/// What a list begins with.
const MAGIC: &[u8] = b"heliograph wasm tests 1\n";

/// A value that goes into a call or comes out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer's bits.
    I32(u32),
    /// An integer's bits.
    I64(u64),
    /// A float's bits.
    F32(u32),
    /// A float's bits.
    F64(u64),
    /// No function.
    NullFunc,
    /// No object.
    NullExtern,
    /// Some function.
    Func,
    /// The object with this number.
    Extern(u32),
}

/// What a value should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// This.
    Is(Value),
    /// A NaN with only the first bit of its payload, of either sign.
    CanonicalNan32,
    /// A NaN with the first bit of its payload.
    ArithmeticNan32,
    /// A NaN with only the first bit of its payload, of either sign.
    CanonicalNan64,
    /// A NaN with the first bit of its payload.
    ArithmeticNan64,
    /// A reference to nothing, of either type.
    Null,
    /// Some object.
    AnyExtern,
}

/// Something done to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action<'a> {
    /// Its number.
    pub instance: u32,
    /// Whether a global is read; otherwise a function is called.
    pub is_get: bool,
    /// Name of the export.
    pub name: &'a str,
    /// What the function is called with.
    pub arguments: Vec<Value>,
}

/// A module to run as a task is run: under a limit of memory, with so much
/// fuel for setting it up and for each of its functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task<'a> {
    /// Units for each call.
    pub fuel: u64,
    /// Most bytes of its memory.
    pub memory_bytes: u32,
    /// The module. All that it exports is looked at; it can import nothing.
    pub module: &'a [u8],
}

/// One step of a test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive<'a> {
    /// Something that is no test of an engine, or has no form here.
    Skip,
    /// Translate a module and make an instance of this number.
    Module(u32, &'a [u8]),
    /// Translate a module and give it this number.
    Define(u32, &'a [u8]),
    /// Make an instance, second, of a translated module, first.
    Instance(u32, u32),
    /// Let modules that follow import from an instance by this name.
    Register(u32, &'a str),
    /// Something that must not trap.
    Do(Action<'a>),
    /// Something with these results.
    Return(Action<'a>, Vec<Pattern>),
    /// Something with this trap.
    Trap(Action<'a>, u8),
    /// A module that must not be translated.
    Invalid(&'a [u8]),
    /// A module that must not be linked.
    Unlinkable(&'a [u8]),
    /// A module with this trap while it is set up.
    TrapAtStart(&'a [u8], u8),
    /// A module run as a task.
    Task(Task<'a>),
}

/// The head of a test file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many directives follow.
    pub directives: u32,
}

/// The bytes are no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadList;

impl fmt::Display for BadList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is no list of tests, or one that is damaged")
    }
}

impl Value {
    /// Appends its bytes: a tag and its bits.
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        let (tag, bits, length) = match self {
            Self::I32(bits) => (1, u64::from(bits), 4),
            Self::I64(bits) => (2, bits, 8),
            Self::F32(bits) => (3, u64::from(bits), 4),
            Self::F64(bits) => (4, bits, 8),
            Self::NullFunc => (5, 0, 0),
            Self::NullExtern => (6, 0, 0),
            Self::Func => (7, 0, 0),
            Self::Extern(bits) => (8, u64::from(bits), 4),
        };
        out.push(tag);
        out.extend(bits.to_le_bytes().iter().take(length));
    }
}

impl Pattern {
    fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::Is(value) => value.put(out),
            Self::CanonicalNan32 => out.push(16),
            Self::ArithmeticNan32 => out.push(17),
            Self::CanonicalNan64 => out.push(18),
            Self::ArithmeticNan64 => out.push(19),
            Self::Null => out.push(20),
            Self::AnyExtern => out.push(21),
        }
    }

    /// Whether a value is as it should be.
    pub(crate) fn fits(self, value: Value) -> bool {
        const QUIET_32: u32 = 0x7fc0_0000;
        const QUIET_64: u64 = 0x7ff8_0000_0000_0000;
        match (self, value) {
            (Self::Is(should), is) => should == is,
            (Self::CanonicalNan32, Value::F32(bits)) => bits & (u32::MAX >> 1) == QUIET_32,
            (Self::ArithmeticNan32, Value::F32(bits)) => bits & QUIET_32 == QUIET_32,
            (Self::CanonicalNan64, Value::F64(bits)) => bits & (u64::MAX >> 1) == QUIET_64,
            (Self::ArithmeticNan64, Value::F64(bits)) => bits & QUIET_64 == QUIET_64,
            (Self::Null, Value::NullFunc | Value::NullExtern) => true,
            (Self::AnyExtern, Value::Extern(_)) => true,
            _ => false,
        }
    }
}

/// Makes a list.
#[derive(Clone, Debug)]
pub struct Writer(Vec<u8>);

impl Default for Writer {
    fn default() -> Self {
        Self(MAGIC.to_vec())
    }
}

impl Writer {
    /// Appends a file.
    pub fn file(&mut self, name: &str, directives: &[Directive<'_>]) {
        self.bytes(name.as_bytes());
        self.count(directives.len());
        for directive in directives {
            self.directive(directive);
        }
    }

    /// The list.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn number(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        // Nothing in a list comes near this; what does is found to be damaged
        // when it is read.
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend(bytes);
    }

    fn action(&mut self, action: &Action<'_>) {
        self.number(action.instance);
        self.0.push(u8::from(action.is_get));
        self.bytes(action.name.as_bytes());
        self.count(action.arguments.len());
        action.arguments.iter().for_each(|value| value.put(&mut self.0));
    }

    fn directive(&mut self, directive: &Directive<'_>) {
        match directive {
            Directive::Skip => self.0.push(0),
            Directive::Module(slot, module) => {
                self.0.push(1);
                self.number(*slot);
                self.bytes(module);
            }
            Directive::Define(slot, module) => {
                self.0.push(2);
                self.number(*slot);
                self.bytes(module);
            }
            Directive::Instance(slot, instance) => {
                self.0.push(3);
                self.number(*slot);
                self.number(*instance);
            }
            Directive::Register(instance, name) => {
                self.0.push(4);
                self.number(*instance);
                self.bytes(name.as_bytes());
            }
            Directive::Do(action) => {
                self.0.push(5);
                self.action(action);
            }
            Directive::Return(action, patterns) => {
                self.0.push(6);
                self.action(action);
                self.count(patterns.len());
                patterns.iter().for_each(|pattern| pattern.put(&mut self.0));
            }
            Directive::Trap(action, trap) => {
                self.0.push(7);
                self.action(action);
                self.0.push(*trap);
            }
            Directive::Invalid(module) => {
                self.0.push(8);
                self.bytes(module);
            }
            Directive::Unlinkable(module) => {
                self.0.push(9);
                self.bytes(module);
            }
            Directive::TrapAtStart(module, trap) => {
                self.0.push(10);
                self.bytes(module);
                self.0.push(*trap);
            }
            Directive::Task(task) => {
                self.0.push(11);
                self.0.extend(task.fuel.to_le_bytes());
                self.number(task.memory_bytes);
                self.bytes(task.module);
            }
        }
    }
}

/// Reads a list.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins with the first file.
    ///
    /// # Errors
    /// [`BadList`] if it is something else.
    pub fn new(list: &'a [u8]) -> Result<Self, BadList> {
        list.strip_prefix(MAGIC).map(Self).ok_or(BadList)
    }

    /// The next file, once all directives of the one before are read; none at
    /// the end.
    ///
    /// # Errors
    /// [`BadList`]
    pub fn file(&mut self) -> Result<Option<File<'a>>, BadList> {
        if self.0.is_empty() {
            return Ok(None);
        }
        Ok(Some(File { name: self.text()?, directives: self.number()? }))
    }

    /// The next directive of a file.
    ///
    /// # Errors
    /// [`BadList`]
    pub fn directive(&mut self) -> Result<Directive<'a>, BadList> {
        Ok(match self.byte()? {
            0 => Directive::Skip,
            1 => Directive::Module(self.number()?, self.bytes()?),
            2 => Directive::Define(self.number()?, self.bytes()?),
            3 => Directive::Instance(self.number()?, self.number()?),
            4 => Directive::Register(self.number()?, self.text()?),
            5 => Directive::Do(self.action()?),
            6 => Directive::Return(self.action()?, self.many(Self::pattern)?),
            7 => Directive::Trap(self.action()?, self.byte()?),
            8 => Directive::Invalid(self.bytes()?),
            9 => Directive::Unlinkable(self.bytes()?),
            10 => Directive::TrapAtStart(self.bytes()?, self.byte()?),
            11 => Directive::Task(Task {
                fuel: self.long()?,
                memory_bytes: self.number()?,
                module: self.bytes()?,
            }),
            _ => return Err(BadList),
        })
    }

    fn action(&mut self) -> Result<Action<'a>, BadList> {
        Ok(Action {
            instance: self.number()?,
            is_get: self.byte()? != 0,
            name: self.text()?,
            arguments: self.many(Self::value)?,
        })
    }

    fn value(&mut self) -> Result<Value, BadList> {
        match self.pattern()? {
            Pattern::Is(value) => Ok(value),
            _ => Err(BadList),
        }
    }

    fn pattern(&mut self) -> Result<Pattern, BadList> {
        Ok(match self.byte()? {
            1 => Pattern::Is(Value::I32(self.number()?)),
            2 => Pattern::Is(Value::I64(self.long()?)),
            3 => Pattern::Is(Value::F32(self.number()?)),
            4 => Pattern::Is(Value::F64(self.long()?)),
            5 => Pattern::Is(Value::NullFunc),
            6 => Pattern::Is(Value::NullExtern),
            7 => Pattern::Is(Value::Func),
            8 => Pattern::Is(Value::Extern(self.number()?)),
            16 => Pattern::CanonicalNan32,
            17 => Pattern::ArithmeticNan32,
            18 => Pattern::CanonicalNan64,
            19 => Pattern::ArithmeticNan64,
            20 => Pattern::Null,
            21 => Pattern::AnyExtern,
            _ => return Err(BadList),
        })
    }

    /// So many as the count before them says; each takes at least a byte, so
    /// a wrong count ends at the end of the list.
    fn many<T>(
        &mut self,
        one: impl Fn(&mut Self) -> Result<T, BadList>,
    ) -> Result<Vec<T>, BadList> {
        let count = self.number()?;
        (0..count).map(|_| one(self)).collect()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadList> {
        let (first, rest) = self.0.split_first_chunk().ok_or(BadList)?;
        self.0 = rest;
        Ok(*first)
    }

    fn byte(&mut self) -> Result<u8, BadList> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u32, BadList> {
        self.array().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Result<u64, BadList> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Result<&'a [u8], BadList> {
        let length = usize::try_from(self.number()?).map_err(|_| BadList)?;
        let (first, rest) = self.0.split_at_checked(length).ok_or(BadList)?;
        self.0 = rest;
        Ok(first)
    }

    fn text(&mut self) -> Result<&'a str, BadList> {
        core::str::from_utf8(self.bytes()?).map_err(|_| BadList)
    }
}
