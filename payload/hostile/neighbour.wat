;; Well-behaved: waits a little, so that the others have gone first, prints a
;; line and exits with 0. A refusal is a trap.
(module
  (import "heliograph" "queue_send"
    (func $send (param i32 i32 i32 i32 i32) (result i64)))
  (import "heliograph" "timer_wait"
    (func $wait (param i32 i32 i64) (result i64)))
  (memory (export "memory") 1 1)
  (data (i32.const 0) "neighbour: still here\n")
  (func $must (param $answer i64)
    (if (i64.lt_s (local.get $answer) (i64.const 0)) (then unreachable)))
  (func (export "_start")
    ;; Handle 1, relative, a millisecond of logical time.
    (call $must (call $wait (i32.const 1) (i32.const 1) (i64.const 1000000)))
    ;; Handle 0, type 0, priority 0, 22 bytes at 0.
    (call $must (call $send
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 22)))))
