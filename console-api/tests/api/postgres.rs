//! All tests again on PostgreSQL.

use crate::harness::DATABASE_URL;
use std::{env, process::Command, thread};

#[test]
fn all_tests_pass_on_postgresql() {
    if env::var_os(DATABASE_URL).is_some() {
        return; // This run is on PostgreSQL already.
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
