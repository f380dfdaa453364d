;; Traps while it is set up, before `_start`.
(module
  (func $setup unreachable)
  (start $setup)
  (func (export "_start")))
