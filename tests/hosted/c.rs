//! A payload in C, with the header that `crates/sdk/include` has.

use helio::keys::Role;
use integration::{c, hosted};
use witness::manifest::Outcome;
use witness::verify::Expected;

use crate::keys;

#[test]
fn a_program_in_c_makes_its_calls() {
    let Some(contents) = c::contents() else { return };
    let keys = keys::fresh();
    let operator = keys.store.private(Role::Operator).unwrap();
    let package = contents.sign(&operator).unwrap();
    let left = hosted::run(package, &keys.store);
    left.log.verified(Expected::default());
    let end = left.task("hello");
    assert_eq!((end.outcome, end.code), (Outcome::Exit, 0), "{}", left.log);
    assert_eq!(left.console, c::SAYS);
}
