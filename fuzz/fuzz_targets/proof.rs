#![no_main]
#![allow(missing_docs)]

#[path = "../src/base64url.rs"]
mod base64url;
#[path = "../src/proof.rs"]
mod proof;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    proof::run(input);
});
