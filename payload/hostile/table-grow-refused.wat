;; Asks for ever for table entries that it has declared never to need.
(module
  (table $table 1 1 funcref)
  (func (export "_start")
    (loop $again
      (drop (table.grow $table (ref.null func) (i32.const 1)))
      (br $again))))
