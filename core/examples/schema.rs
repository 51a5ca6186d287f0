//! Prints the JSON Schema that the bindings' types are generated from:
//! `cargo run -p handfast --features schema --example schema`.
#![expect(clippy::print_stdout, reason = "that is what it is for")]

fn main() {
    println!("{:#}", handfast::schema::document());
}
