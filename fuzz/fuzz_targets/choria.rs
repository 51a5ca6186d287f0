#![no_main]
#![allow(missing_docs)]

#[path = "../src/base64url.rs"]
mod base64url;
#[path = "../src/choria.rs"]
mod choria;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    choria::run(input);
});
