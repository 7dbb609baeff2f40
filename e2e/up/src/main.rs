//! `cargo run -p up`: builds all programs, then becomes `e2e up` with the same options.

use std::{env, io, os::unix::process::CommandExt as _, process::Command};

fn main() -> io::Result<()> {
    let programs = up::build()?;
    Err(Command::new(programs.join("e2e")).arg("up").args(env::args_os().skip(1)).exec())
}
