;; Makes calls with forged handles without end: no handle is its own.
(module
  (import "heliograph" "queue_send"
    (func $send (param i32 i32 i32 i32 i32) (result i64)))
  (memory (export "memory") 1 1)
  (func (export "_start")
    (local $handle i32)
    (loop $again
      (drop (call $send
        (local.get $handle) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)))
      (local.set $handle (i32.add (local.get $handle) (i32.const 1)))
      (br $again))))
