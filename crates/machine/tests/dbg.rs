#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
mod common;
use common::*;
#[test]
fn dbg() {
    let wat = program(r#"(func (export "_start") (local $i i32)
      (loop $more
        (drop (call $wait (i32.const 1) (i32.const 1) (i64.const 1000)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const 3)))))"#);
    let mut cell = start(&Recipe::new().task("a", &wat).signed(), 1);
    for _ in 0..20 {
        let s = cell.step();
        let t = cell.view().tasks().next().unwrap().1;
        println!("{s:?} {:?} {} {}", t.state(), t.spent, cell.view().clock().now_ns());
        if let machine::Step::Waiting{until: Some(_)} = s { println!("{:?}", cell.jump()); }
        if s == machine::Step::Finished { break }
    }
}
