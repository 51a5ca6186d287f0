#![no_main]
#![allow(missing_docs)]

#[path = "../src/spire.rs"]
mod spire;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    spire::run(input);
});
