;; Loops for ever; only its fuel ends it.
(module
  (func (export "_start")
    (loop $again (br $again))))
