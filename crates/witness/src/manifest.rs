//! The run's manifest: what a finished log says about itself, in canonical
//! JSON, signed by the device's key under the log's origin.

use crate::{
    BootId, Hash,
    json::{self, FieldError, Fields, JsonError, Object, Value},
    note,
    note::SigningKey,
    record::{Arch, Board},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident: $($(#[doc = $vdoc:literal])+ $variant:ident = $text:literal;)*) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $vdoc])+ $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the manifest.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
    };
}

words! {
    /// How the run ended.
    End:
    /// Every task had ended.
    Finished = "finished";
    /// The operator powered the machine off.
    PowerOff = "poweroff";
    /// The operator restarted the machine.
    Reboot = "reboot";
    /// The kernel panicked.
    Panic = "panic";
    /// The log's device had no room left.
    LogFull = "log-full";
}

words! {
    /// How a task ended.
    Outcome:
    /// It exited; the code is the exit record's.
    Exit = "exit";
    /// It trapped; the code is the trap record's.
    Trap = "trap";
    /// Its fuel was spent.
    OutOfFuel = "out-of-fuel";
    /// Its parent or the operator ended it.
    Killed = "killed";
    /// Its partition's budget of records was spent.
    Budget = "budget";
    /// It could not be started; the code is the error's number.
    Refused = "refused";
    /// It had not ended.
    Running = "running";
}

/// A task, as the run left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEnd {
    /// Its name in the package's manifest.
    pub name: String,
    /// Its number, or 0 if it was refused and never got one.
    pub subject: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Exit code, trap code or error number; otherwise 0.
    pub code: i32,
}

/// What a finished log says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunManifest {
    /// The architecture, as in leaf 1.
    pub arch: Arch,
    /// The board, as in leaf 1.
    pub board: Board,
    /// The boot, as in leaf 1.
    pub boot_id: BootId,
    /// Whether the trust file is marked as one of development keys.
    pub development_keys: bool,
    /// The device's public key, as in leaf 1.
    pub device_key: [u8; 32],
    /// How the run ended.
    pub end: End,
    /// SHA-256 of the package, as in the genesis.
    pub package: Hash,
    /// Name of the engine profile, as in the genesis.
    pub profile: String,
    /// Number of records.
    pub records: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// The tasks, in order of spawn.
    pub tasks: Vec<TaskEnd>,
}

/// Why a text is not a run's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// Not canonical JSON and a line feed.
    Json(JsonError),
    /// A member is missing, unknown or wrong.
    Field(FieldError),
    /// The line feed at the end is missing.
    LineFeed,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => error.fmt(f),
            Self::Field(error) => error.fmt(f),
            Self::LineFeed => f.write_str("the line feed at the end is missing"),
        }
    }
}

impl core::error::Error for ManifestError {}

impl From<FieldError> for ManifestError {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl RunManifest {
    /// The text that is signed: canonical JSON and a line feed.
    pub fn text(&self) -> String {
        let task = |task: &TaskEnd| {
            Object::new()
                .with("code", task.code)
                .with("name", task.name.as_str())
                .with("outcome", task.outcome.name())
                .with("subject", task.subject)
                .into()
        };
        let value: Value = Object::new()
            .with("arch", self.arch.name())
            .with("board", self.board.name())
            .with("boot_id", Value::hex(&self.boot_id))
            .with("development_keys", self.development_keys)
            .with("device_key", Value::hex(&self.device_key))
            .with("end", self.end.name())
            .with("format", 1u8)
            .with("package", Value::hex(&self.package))
            .with("profile", self.profile.as_str())
            .with("records", Value::decimal(self.records))
            .with("root", Value::hex(&self.root))
            .with("tasks", self.tasks.iter().map(task).collect::<Value>())
            .into();
        value.to_string() + "\n"
    }

    /// The note, signed under the log's origin.
    pub fn sign(&self, origin: &str, key: &SigningKey) -> String {
        note::sign(&self.text(), origin, key)
    }

    /// Reads the text.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let json = text.strip_suffix('\n').ok_or(ManifestError::LineFeed)?;
        let value = json::parse_canonical(json).map_err(ManifestError::Json)?;
        let mut fields = Fields::of(&value)?;
        fields.read("format", |format| (format.as_u64() == Some(1)).then_some(()))?;
        let manifest = Self {
            arch: fields.read("arch", |value| by_name(Arch::ALL, Arch::name, value))?,
            board: fields.read("board", |value| by_name(Board::ALL, Board::name, value))?,
            boot_id: fields.hex("boot_id")?,
            development_keys: fields.bool("development_keys")?,
            device_key: fields.hex("device_key")?,
            end: fields.read("end", |value| End::from_name(value.as_str()?))?,
            package: fields.hex("package")?,
            profile: fields.str("profile")?.into(),
            records: fields.decimal("records")?,
            root: fields.hex("root")?,
            tasks: fields.array("tasks")?.iter().map(task).collect::<Result<_, _>>()?,
        };
        fields.end()?;
        let mut subjects = manifest.tasks.iter().map(|task| task.subject).filter(|&s| s != 0);
        let first = subjects.next().unwrap_or(0);
        let is_ascending = subjects.try_fold(first, |last, s| (last < s).then_some(s)).is_some();
        if is_ascending { Ok(manifest) } else { Err(FieldError::Wrong("tasks").into()) }
    }
}

fn by_name<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, value: &Value) -> Option<T> {
    let wanted = value.as_str()?;
    all.iter().copied().find(|&candidate| name(candidate) == wanted)
}

fn task(value: &Value) -> Result<TaskEnd, FieldError> {
    let mut fields = Fields::of(value)?;
    let number = |value: &Value| i32::try_from(value.as_integer()?).ok();
    let task = TaskEnd {
        name: fields.str("name")?.into(),
        subject: fields.read("subject", |value| u32::try_from(value.as_u64()?).ok())?,
        outcome: fields.read("outcome", |value| Outcome::from_name(value.as_str()?))?,
        code: fields.read("code", number)?,
    };
    fields.end()?;
    let is_refused = task.outcome == Outcome::Refused;
    if is_refused == (task.subject == 0) { Ok(task) } else { Err(FieldError::Wrong("subject")) }
}
