#![no_main]
// Compiling the signatures takes longer than any input may.
libfuzzer_sys::fuzz_target!(init: engine::fuzzing::engine(b""), |data: &[u8]| engine::fuzzing::engine(data));
