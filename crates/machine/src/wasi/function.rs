//! Every function of WASI preview 1 with its type, and how they are linked.

use super::{Call, WORDS, perform};
use crate::host::Host;
use wasmi::{Caller, Error, ExternType, FuncType, Linker, Val, ValType, errors::LinkerError};

/// The module that they are imported from.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

macro_rules! functions {
    ($($variant:ident $name:literal ($($type:ident)*);)*) => {
        /// A function of WASI preview 1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Function { $($variant,)* }

        impl Function {
            /// All of them, by name.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The types of its parameters.
            const fn parameters(self) -> &'static [ValType] {
                match self { $(Self::$variant => &[$(ValType::$type,)*],)* }
            }
        }
    };
}

functions! {
    ArgsGet "args_get" (I32 I32);
    ArgsSizesGet "args_sizes_get" (I32 I32);
    ClockResGet "clock_res_get" (I32 I32);
    ClockTimeGet "clock_time_get" (I32 I64 I32);
    EnvironGet "environ_get" (I32 I32);
    EnvironSizesGet "environ_sizes_get" (I32 I32);
    FdAdvise "fd_advise" (I32 I64 I64 I32);
    FdAllocate "fd_allocate" (I32 I64 I64);
    FdClose "fd_close" (I32);
    FdDatasync "fd_datasync" (I32);
    FdFdstatGet "fd_fdstat_get" (I32 I32);
    FdFdstatSetFlags "fd_fdstat_set_flags" (I32 I32);
    FdFdstatSetRights "fd_fdstat_set_rights" (I32 I64 I64);
    FdFilestatGet "fd_filestat_get" (I32 I32);
    FdFilestatSetSize "fd_filestat_set_size" (I32 I64);
    FdFilestatSetTimes "fd_filestat_set_times" (I32 I64 I64 I32);
    FdPread "fd_pread" (I32 I32 I32 I64 I32);
    FdPrestatDirName "fd_prestat_dir_name" (I32 I32 I32);
    FdPrestatGet "fd_prestat_get" (I32 I32);
    FdPwrite "fd_pwrite" (I32 I32 I32 I64 I32);
    FdRead "fd_read" (I32 I32 I32 I32);
    FdReaddir "fd_readdir" (I32 I32 I32 I64 I32);
    FdRenumber "fd_renumber" (I32 I32);
    FdSeek "fd_seek" (I32 I64 I32 I32);
    FdSync "fd_sync" (I32);
    FdTell "fd_tell" (I32 I32);
    FdWrite "fd_write" (I32 I32 I32 I32);
    PathCreateDirectory "path_create_directory" (I32 I32 I32);
    PathFilestatGet "path_filestat_get" (I32 I32 I32 I32 I32);
    PathFilestatSetTimes "path_filestat_set_times" (I32 I32 I32 I32 I64 I64 I32);
    PathLink "path_link" (I32 I32 I32 I32 I32 I32 I32);
    PathOpen "path_open" (I32 I32 I32 I32 I32 I64 I64 I32 I32);
    PathReadlink "path_readlink" (I32 I32 I32 I32 I32 I32);
    PathRemoveDirectory "path_remove_directory" (I32 I32 I32);
    PathRename "path_rename" (I32 I32 I32 I32 I32 I32);
    PathSymlink "path_symlink" (I32 I32 I32 I32 I32);
    PathUnlinkFile "path_unlink_file" (I32 I32 I32);
    PollOneoff "poll_oneoff" (I32 I32 I32 I32);
    ProcExit "proc_exit" (I32);
    ProcRaise "proc_raise" (I32);
    RandomGet "random_get" (I32 I32);
    SchedYield "sched_yield" ();
    SockAccept "sock_accept" (I32 I32 I32);
    SockRecv "sock_recv" (I32 I32 I32 I32 I32 I32);
    SockSend "sock_send" (I32 I32 I32 I32 I32);
    SockShutdown "sock_shutdown" (I32 I32);
}

impl Function {
    /// All but one return an error number; that one does not return.
    const fn results(self) -> &'static [ValType] {
        match self {
            Self::ProcExit => &[],
            _ => &[ValType::I32],
        }
    }

    /// The function of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// Whether an import of it has its type.
    pub(crate) fn is_typed_as(self, import: &ExternType) -> bool {
        match import {
            ExternType::Func(import) => {
                import.params() == self.parameters() && import.results() == self.results()
            }
            _ => false,
        }
    }
}

/// Adds them to a linker.
///
/// # Errors
/// None but for a mistake in the table: two of one name.
pub(crate) fn link(linker: &mut Linker<Host>) -> Result<(), LinkerError> {
    for &function in Function::ALL {
        let ty = FuncType::new(
            function.parameters().iter().copied(),
            function.results().iter().copied(),
        );
        linker.func_new(MODULE, function.name(), ty, move |caller, given, results| {
            make(caller, function, given, results)
        })?;
    }
    Ok(())
}

fn make(
    mut caller: Caller<'_, Host>,
    function: Function,
    given: &[Val],
    results: &mut [Val],
) -> Result<(), Error> {
    let mut words = [0; WORDS];
    for (to, from) in words.iter_mut().zip(given) {
        *to = match from {
            Val::I32(value) => u64::from(value.cast_unsigned()),
            Val::I64(value) => value.cast_unsigned(),
            // The table has no other types.
            _ => 0,
        };
    }
    let errno = perform(&mut caller, Call::new(function, words)).map_err(Error::host)?;
    if let Some(result) = results.first_mut() {
        *result = Val::I32(errno);
    }
    Ok(())
}
