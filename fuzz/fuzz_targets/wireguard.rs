#![no_main]
#![allow(missing_docs)]

#[path = "../src/wireguard.rs"]
mod wireguard;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    wireguard::run(input);
});
