//! Packages that are broken as files: none starts a task, each leaves a log
//! that verifies and says what was refused and why.

use helio::keys::{self as host_keys, Role};
use helio::pack;
use integration::{hosted, packages};
use witness::Hasher;
use witness::manifest::Outcome;
use witness::record::{Kind, Verdict};
use witness::verify::Expected;

use crate::keys::{self, Keys};

/// Runs it; gives the reason in the one record of the mount.
#[track_caller]
fn refused(package: Vec<u8>, keys: &Keys) -> abi::Error {
    let digest = Hasher::SOFTWARE.hash(&package);
    let left = hosted::run(package, &keys.store);
    let facts = left.log.verified(Expected { package: Some(digest), ..Expected::default() });
    assert_eq!((facts.tasks.len(), left.console.as_str()), (0, ""), "{}", left.log);
    assert_eq!(left.ran.tasks.iter().find(|it| it.outcome != Outcome::Refused), None);
    assert!(left.ran.reports.iter().any(|it| !it.is_empty()), "nothing is said");
    let mounts = left.log.of_kind(Kind::Call(abi::Call::RvfMount));
    let [mount] = &mounts[..] else { panic!("{}", left.log) };
    let Verdict::Denied(error) = mount.verdict else { panic!("{}", left.log) };
    error
}

fn good(keys: &Keys) -> Vec<u8> {
    packages::hostile("trap").sign(&keys.store.private(Role::Operator).unwrap()).unwrap()
}

#[test]
fn an_unsigned_package_is_refused() {
    let keys = keys::fresh();
    let package = pack::unsigned(&packages::hostile("trap")).unwrap();
    assert_eq!(refused(package, &keys), abi::Error::Unsigned);
}

#[test]
fn a_package_signed_by_a_stranger_is_refused() {
    let keys = keys::fresh();
    let stranger = host_keys::generate().unwrap();
    let package = packages::hostile("trap").sign(&stranger).unwrap();
    assert_eq!(refused(package, &keys), abi::Error::UntrustedKey);
}

#[test]
fn a_package_cut_short_anywhere_is_refused() {
    let keys = keys::fresh();
    let package = good(&keys);
    for length in 0..package.len() {
        let error = refused(package[..length].to_vec(), &keys);
        let expected = [abi::Error::NotRvf, abi::Error::Truncated, abi::Error::Unsigned];
        assert!(expected.contains(&error), "{length} of {} bytes: {error:?}", package.len());
    }
}

#[test]
fn a_package_with_a_changed_byte_is_refused() {
    let keys = keys::fresh();
    let package = good(&keys);
    for at in (0..package.len()).step_by(17) {
        let mut changed = package.clone();
        changed[at] ^= 0x20;
        refused(changed, &keys);
    }
}
