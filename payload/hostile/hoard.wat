;; Declares more memory at the start than any task may have.
(module
  (memory (export "memory") 65536)
  (func (export "_start")))
