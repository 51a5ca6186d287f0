#![no_main]
#![allow(missing_docs)]

#[path = "../src/names.rs"]
mod names;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    names::run(input);
});
