//! Other people's tests of Wasm engines.

use integration::conformance::{self, suite};

#[test]
fn the_specifications_tests_pass() {
    let suite = suite::suite();
    let hosted = conformance::run(&suite.list);
    println!("{} bytes {:?} {:?}", suite.list.len(), hosted.summary, suite.skipped);
    for off in suite::off() { println!("{off:?}"); }
    assert_eq!(hosted.failures, [""; 0]);
}
