//! The twelve imports that a component may have beside those of WASI.

use crate::{
    call::RawCall,
    host::{Host, perform},
    wasi,
};
use abi::{Call, IMPORT_MODULE};
use wasmi::{Caller, Engine, Error, FuncType, Linker, ValType, errors::LinkerError};

/// A parameter of an import.
trait Argument {
    const TYPE: ValType;

    /// The argument as the guest sees it: unsigned.
    fn widen(self) -> u64;
}

impl Argument for i32 {
    const TYPE: ValType = ValType::I32;

    fn widen(self) -> u64 {
        u64::from(self.cast_unsigned())
    }
}

impl Argument for i64 {
    const TYPE: ValType = ValType::I64;

    fn widen(self) -> u64 {
        self.cast_unsigned()
    }
}

fn make(mut caller: Caller<'_, Host>, call: Call, given: &[u64]) -> Result<i64, Error> {
    let mut arguments = [0; 6];
    for (to, from) in arguments.iter_mut().zip(given) {
        *to = *from;
    }
    perform(&mut caller, RawCall { call, arguments }).map_err(Error::host)
}

macro_rules! imports {
    ($($call:ident($($argument:ident: $type:ty),*);)*) => {
        /// A linker that offers them, and WASI's, and nothing else.
        ///
        /// # Errors
        /// None but for a mistake in the table: two of one name.
        pub(crate) fn linker(engine: &Engine) -> Result<Linker<Host>, LinkerError> {
            let mut linker = Linker::new(engine);
            $(linker.func_wrap(
                IMPORT_MODULE,
                Call::$call.name(),
                |caller: Caller<'_, Host>, $($argument: $type),*| {
                    make(caller, Call::$call, &[$($argument.widen()),*])
                },
            )?;)*
            wasi::link(&mut linker)?;
            Ok(linker)
        }

        /// The types of a call's parameters. All calls return an i64.
        fn parameters(call: Call) -> &'static [ValType] {
            match call {
                $(Call::$call => &[$(<$type as Argument>::TYPE),*],)*
            }
        }

        /// Their names.
        #[cfg(test)]
        fn names(call: Call) -> &'static [&'static str] {
            match call {
                $(Call::$call => &[$(stringify!($argument)),*],)*
            }
        }
    };
}

imports! {
    TaskSpawn(component: i32, arguments: i32, length: i32);
    CapGrant(capability: i32, operation: i32, arguments: i32, length: i32);
    RegionMap(capability: i32, operation: i32, offset: i64, pointer: i32, length: i32);
    QueueSend(queue: i32, kind: i32, priority: i32, pointer: i32, length: i32);
    QueueRecv(queue: i32, deadline: i64, pointer: i32, length: i32);
    TimerWait(timer: i32, operation: i32, ns: i64);
    RvfMount(namespace: i32, operation: i32, region: i32, path: i32, length: i32);
    AttestEmit(capability: i32, operation: i32, kind: i32, digest: i32, body: i32, length: i32);
    VectorGet(store: i32, operation: i32, arguments: i32, length: i32, out: i32, room: i32);
    VectorPutProved(store: i32, proof: i32, arguments: i32, length: i32);
    GraphApplyProved(store: i32, operation: i32, proof: i32, arguments: i32, length: i32);
    SensorSubscribe(sensor: i32, queue: i32);
}

/// Whether an import of a call has the call's type.
pub(crate) fn is_typed_as(call: Call, import: &FuncType) -> bool {
    import.params() == parameters(call) && import.results() == [ValType::I64]
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{format, string::String, vec::Vec};

    /// As its section of the page has it.
    fn signature(call: Call) -> String {
        let parameters = names(call).iter().zip(parameters(call)).map(|(name, of)| {
            let of = if *of == ValType::I64 { "i64" } else { "i32" };
            format!("{name}: {of}")
        });
        format!("{}({}) -> i64", call.name(), parameters.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn the_page_has_the_signature_of_each_call() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SYSCALLS.md");
        let page = std::fs::read_to_string(page).unwrap();
        for (call, section) in Call::ALL.into_iter().zip(page.split("\n### ").skip(1)) {
            let wanted =
                format!("{} `{}`\n\n```\n{}\n```\n", call.number(), call.name(), signature(call));
            assert!(section.starts_with(&wanted), "docs/SYSCALLS.md lacks:\n### {wanted}");
        }
    }
}
