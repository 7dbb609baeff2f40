//! A flood of wrong passwords.

use crate::program::Console;
use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    thread,
};

const ATTEMPTS: usize = 200;
/// Two hashes of 19 MiB at a time, and connections. On a pool of threads, 20 attempts took 380 MB.
const MAX_GROWTH_KB: u64 = 100 * 1024;

/// A sign-in of its own user from its own network, so that the delays of sign-ins do not help. A
/// proxy on this machine reports the network.
fn attempt(address: &str, n: usize) -> io::Result<String> {
    let body = format!(r#"{{"user":"user {n}","password":"wrong horse battery"}}"#);
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /api/v1/sessions HTTP/1.1\r\nhost: console\r\nx-forwarded-for: 203.0.113.{n}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A value of `/proc/…/status` in KB.
fn memory(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_flood_of_wrong_passwords_takes_bounded_memory() {
    let dir = tempfile::tempdir().unwrap();
    let console = Console::start(dir.path());
    let (process, address) = (console.process.id(), console.address.as_str());
    assert!(attempt(address, 0).unwrap().starts_with("HTTP/1.1 401"));
    let before = memory(process, "VmRSS:");
    let answers: Vec<String> = thread::scope(|scope| {
        let attempts: Vec<_> =
            (1..=ATTEMPTS).map(|n| scope.spawn(move || attempt(address, n).unwrap())).collect();
        attempts.into_iter().map(|attempt| attempt.join().unwrap()).collect()
    });
    let (after, peak) = (memory(process, "VmRSS:"), memory(process, "VmHWM:"));
    let count = |status: &str| answers.iter().filter(|answer| answer[9..].starts_with(status)).count();
    let (wrong, busy) = (count("401"), count("503"));
    let mut log = io::stderr().lock();
    // Not `eprintln`, which the test runner hides.
    writeln!(
        log,
        "{ATTEMPTS} wrong passwords: {wrong} checked, {busy} refused; memory {before} KB, then {after} KB, at most {peak} KB"
    )
    .unwrap();
    assert_eq!(wrong + busy, ATTEMPTS, "{answers:?}");
    assert!(wrong > 0);
    assert!(peak - before <= MAX_GROWTH_KB, "the memory grew by {} KB", peak - before);
}
