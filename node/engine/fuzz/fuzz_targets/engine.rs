#![no_main]
// Initialized first: compiling the signatures takes longer than the time limit of an input.
libfuzzer_sys::fuzz_target!(init: engine::fuzzing::engine(b""), |data: &[u8]| engine::fuzzing::engine(data));
