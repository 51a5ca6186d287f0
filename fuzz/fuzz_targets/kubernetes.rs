#![no_main]
#![allow(missing_docs)]

#[path = "../src/kubernetes.rs"]
mod kubernetes;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    kubernetes::run(input);
});
