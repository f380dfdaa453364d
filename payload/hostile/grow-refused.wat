;; Asks for ever for memory that it has declared never to need.
(module
  (memory (export "memory") 1 1)
  (func (export "_start")
    ;; Beyond a memory's own maximum the answer is -1, not a trap.
    (loop $again
      (drop (memory.grow (i32.const 1)))
      (br $again))))
