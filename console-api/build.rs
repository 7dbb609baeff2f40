//! Build script: rebuilds the crate when a migration changes, as migrations are compiled in.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
