#![no_main]
#![allow(missing_docs)]

#[path = "../src/stored.rs"]
mod stored;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    stored::run(input);
});
