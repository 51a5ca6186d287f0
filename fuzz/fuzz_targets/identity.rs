#![no_main]
#![allow(missing_docs)]

#[path = "../src/identity.rs"]
mod identity;

libfuzzer_sys::fuzz_target!(|input: &[u8]| identity::run(input));
