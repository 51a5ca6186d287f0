#![no_main]
#![allow(missing_docs)]

#[path = "../src/template.rs"]
mod template;

libfuzzer_sys::fuzz_target!(|input: &[u8]| template::run(input));
