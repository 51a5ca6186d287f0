#![no_main]
#![allow(missing_docs)]

#[path = "../src/base64url.rs"]
mod base64url;
#[path = "../src/jwt.rs"]
mod jwt;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    jwt::run(input);
});
