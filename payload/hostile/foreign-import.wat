;; Imports a function that the machine does not offer.
(module
  (import "env" "gettimeofday" (func (param i32 i32) (result i32)))
  (func (export "_start")))
