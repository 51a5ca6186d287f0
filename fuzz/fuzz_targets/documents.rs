#![no_main]
#![allow(missing_docs)]

#[path = "../src/documents.rs"]
mod documents;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    documents::run(input);
});
