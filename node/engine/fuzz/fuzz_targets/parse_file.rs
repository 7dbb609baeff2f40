#![no_main]
// Initialized first: compiling the signatures takes longer than the time limit of an input.
libfuzzer_sys::fuzz_target!(init: engine::fuzzing::parse_file(b""), |data: &[u8]| engine::fuzzing::parse_file(data));
