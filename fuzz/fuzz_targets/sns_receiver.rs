#![no_main]
#![allow(missing_docs)]

#[path = "../src/sns_receiver.rs"]
mod sns_receiver;

libfuzzer_sys::fuzz_target!(|input: &[u8]| sns_receiver::run(input));
