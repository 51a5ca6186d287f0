#![no_main]
#![allow(missing_docs)]

#[path = "../src/link.rs"]
mod link;

libfuzzer_sys::fuzz_target!(|input: &[u8]| link::run(input));
