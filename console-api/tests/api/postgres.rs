//! The whole suite on PostgreSQL.

use crate::harness::DATABASE_URL;
use std::{env, process::Command, thread};

#[test]
fn the_whole_suite_passes_on_postgresql() {
    if env::var_os(DATABASE_URL).is_some() {
        return; // This is the second time.
    }
    crate::postgres_server::with_server(|server| {
        let name = thread::current().name().unwrap().to_owned();
        let again = Command::new(env::current_exe().unwrap())
            .args(["--skip", &name])
            .env(DATABASE_URL, server.url())
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&again.stdout), String::from_utf8_lossy(&again.stderr));
        assert!(again.status.success(), "{out}\n{err}");
    });
}
