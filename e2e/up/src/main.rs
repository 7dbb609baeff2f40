//! `cargo run -p up`: builds all programs, then becomes `e2e up` with the same options.

use std::{
    env, io,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

/// Options with which the documented ports need not be free.
const WITHOUT_PORTS: [&[&str]; 4] = [&["-h"], &["--help"], &["--ports", "random"], &["--ports=random"]];

fn main() -> ExitCode {
    let Err(error) = start();
    eprintln!("Error: {error}");
    ExitCode::FAILURE
}

fn start() -> io::Result<std::convert::Infallible> {
    let options: Vec<String> = env::args().skip(1).collect();
    let has = |wanted: &&[&str]| options.windows(wanted.len()).any(|given| given == *wanted);
    if !WITHOUT_PORTS.iter().any(has) {
        // Before the build, which can take minutes.
        up::check_ports()?;
    }
    let programs = up::build()?;
    Err(Command::new(programs.join("e2e")).arg("up").args(env::args_os().skip(1)).exec())
}
