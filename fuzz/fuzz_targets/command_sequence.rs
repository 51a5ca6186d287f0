#![no_main]
#![allow(missing_docs, dead_code)]

#[path = "../../core/tests/registrar/watched.rs"]
mod watched;
#[path = "../../core/tests/registrar/world.rs"]
mod world;

libfuzzer_sys::fuzz_target!(|input: &[u8]| watched::run(input));
