//! What came of a directive, in one form on every machine.

use alloc::vec::Vec;

use wasmi::{
    Error, Nullable, Store, TrapCode, Val,
    errors::{ErrorKind, InstantiationError},
};

use crate::list::Value;

/// Whether it is what the list says it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Passed,
    /// It is not.
    Failed,
    /// The directive was not run.
    Skipped,
}

impl From<bool> for Verdict {
    fn from(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

/// What came of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran and gave these.
    Values(Vec<Value>),
    /// It trapped; wasmi's number for it.
    Trap(u8),
    /// The module was not translated.
    NotTranslated,
    /// The module's imports were not there, or had other types.
    NotLinked,
    /// It named something that is not there.
    Absent,
    /// The host had no memory left, or it failed in a way it must not.
    HostFailed,
    /// It was not run.
    Skipped,
    /// What a task did.
    Task(TaskOutcome),
}

/// What a task did: how setting it up went, then each call, then its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskOutcome {
    /// Setting it up, and each call of an exported function in order of
    /// export: what came of it, and the fuel it took.
    pub calls: Vec<(Outcome, u64)>,
    /// Values of its exported globals, in order of export.
    pub globals: Vec<Value>,
    /// Pages of its first exported memory, and SHA-256 of what is in them.
    pub memory: Option<(u64, [u8; 32])>,
    /// Elements of each exported table, in order of export.
    pub tables: Vec<u64>,
}

impl Outcome {
    /// What a failed call or translation comes to.
    pub(crate) fn failure(error: &Error) -> Self {
        match error.as_trap_code() {
            Some(TrapCode::OutOfSystemMemory) => return Self::HostFailed,
            Some(code) => return Self::Trap(u8::from(code)),
            None => {}
        }
        match error.kind() {
            // The specification has it as a trap of the table.init that sets
            // the table up.
            ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
                Self::Trap(u8::from(TrapCode::TableOutOfBounds))
            }
            ErrorKind::Linker(_) | ErrorKind::Instantiation(_) => Self::NotLinked,
            ErrorKind::Wasm(_)
            | ErrorKind::Read(_)
            | ErrorKind::Translation(_)
            | ErrorKind::UserLimits(_)
            | ErrorKind::ImplementationLimits(_) => Self::NotTranslated,
            // A limit of memories and tables that is hit before anything runs.
            ErrorKind::Memory(_) | ErrorKind::Table(_) => {
                Self::Trap(u8::from(TrapCode::GrowthOperationLimited))
            }
            _ => Self::HostFailed,
        }
    }

    /// Appends its bytes: what the digest is over.
    pub(crate) fn put(&self, verdict: Verdict, out: &mut Vec<u8>) {
        out.push(match verdict {
            Verdict::Passed => 1,
            Verdict::Failed => 2,
            Verdict::Skipped => 3,
        });
        self.put_alone(out);
    }

    fn put_alone(&self, out: &mut Vec<u8>) {
        match self {
            Self::Values(values) => {
                out.push(1);
                put_values(values, out);
            }
            Self::Trap(code) => out.extend([2, *code]),
            Self::NotTranslated => out.push(3),
            Self::NotLinked => out.push(4),
            Self::Absent => out.push(5),
            Self::HostFailed => out.push(6),
            Self::Skipped => out.push(7),
            Self::Task(task) => {
                out.push(8);
                put_count(task.calls.len(), out);
                for (outcome, fuel) in &task.calls {
                    outcome.put_alone(out);
                    out.extend(fuel.to_le_bytes());
                }
                put_values(&task.globals, out);
                out.push(u8::from(task.memory.is_some()));
                if let Some((pages, digest)) = &task.memory {
                    out.extend(pages.to_le_bytes());
                    out.extend(digest);
                }
                put_count(task.tables.len(), out);
                task.tables.iter().for_each(|size| out.extend(size.to_le_bytes()));
            }
        }
    }
}

fn put_count(count: usize, out: &mut Vec<u8>) {
    out.extend(u64::try_from(count).unwrap_or(u64::MAX).to_le_bytes());
}

fn put_values(values: &[Value], out: &mut Vec<u8>) {
    put_count(values.len(), out);
    values.iter().for_each(|value| value.put(out));
}

/// A value's bits. References to functions are told apart from null alone:
/// they have no number that is the same everywhere.
pub(crate) fn value<T: 'static>(val: &Val, store: &Store<T>) -> Value {
    match val {
        Val::I32(value) => Value::I32(value.cast_unsigned()),
        Val::I64(value) => Value::I64(value.cast_unsigned()),
        Val::F32(value) => Value::F32(value.to_bits()),
        Val::F64(value) => Value::F64(value.to_bits()),
        // There are none without SIMD.
        Val::V128(_) => Value::Func,
        Val::FuncRef(Nullable::Null) => Value::NullFunc,
        Val::FuncRef(Nullable::Val(_)) => Value::Func,
        Val::ExternRef(Nullable::Null) => Value::NullExtern,
        Val::ExternRef(Nullable::Val(object)) => {
            Value::Extern(object.data(store).downcast_ref().copied().unwrap_or(u32::MAX))
        }
    }
}
