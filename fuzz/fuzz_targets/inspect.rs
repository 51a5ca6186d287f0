#![no_main]
#![allow(missing_docs)]

#[path = "../src/base64url.rs"]
mod base64url;
#[path = "../src/inspect.rs"]
mod inspect;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    inspect::run(input);
});
