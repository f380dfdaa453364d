//! cap_grant: derive, revoke or drop a capability.
//!
//! Right: GRANT to derive, REVOKE to take back, none to drop one's own.
//! Effect: not in this build.

use super::Effect;
use abi::{Error, GrantArguments};

pub(super) fn grant(_: &GrantArguments) -> Result<Effect, Error> {
    Err(Error::Unsupported)
}

pub(super) fn take_back() -> Result<Effect, Error> {
    Err(Error::Unsupported)
}
