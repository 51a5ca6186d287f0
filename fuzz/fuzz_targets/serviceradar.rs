#![no_main]
#![allow(missing_docs)]

#[path = "../src/base64url.rs"]
mod base64url;
#[path = "../src/serviceradar.rs"]
mod serviceradar;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    serviceradar::run(input);
});
