;; Imports a call with a signature that is not the call's.
(module
  (import "heliograph" "timer_wait" (func (param i32) (result i32)))
  (func (export "_start")))
