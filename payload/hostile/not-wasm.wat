;; Not a module at all: the text form of these bytes and nothing else.
(module binary "this is not WebAssembly")
