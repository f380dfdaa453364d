;; Does not export what a command must.
(module
  (func (export "begin")))
