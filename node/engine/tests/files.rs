//! Uploaded files: each file of `corpus/files`, as a part of a form and as the whole body.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::{Engine, mutate::empty_request};
use shared::{Body, Finding, InspectRequest, Sensitivity, score};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/files").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20);
    files
}

fn part(name: &str, content: &[u8]) -> InspectRequest {
    let head = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let body = [head.as_bytes(), content, b"\r\n--cut--\r\n"].concat();
    with_body("multipart/form-data; boundary=cut", body)
}

fn whole(extension: &str, content: &[u8]) -> InspectRequest {
    let content_type = match extension {
        "jpg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "csv" => "text/csv",
        "toml" => "application/toml",
        "txt" => "text/plain",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    };
    with_body(content_type, content.to_vec())
}

fn with_body(content_type: &str, body: Vec<u8>) -> InspectRequest {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    InspectRequest { headers, body: Some(Body(body)), ..empty_request("POST") }
}

/// The requests that upload a file, with a description. A page of text is no whole body.
fn uploads(path: &Path) -> Vec<(String, InspectRequest)> {
    let content = fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let extension = path.extension().unwrap().to_str().unwrap();
    let mut uploads = vec![(format!("{name}, part"), part(name, &content))];
    if extension != "md" {
        uploads.push((format!("{name}, body"), whole(extension, &content)));
    }
    uploads
}

fn inspect(request: &InspectRequest) -> (bool, Vec<String>) {
    let findings = ENGINE.inspect(request).findings;
    let summary = |it: &Finding| format!("{} {} {:?} {}", it.signature, it.point, it.payload, it.points());
    let is_attack = score::of_request(&findings) >= Sensitivity::Balanced.threshold();
    (is_attack, findings.iter().map(summary).collect())
}

#[test]
fn dangerous_files_are_attacks() {
    let mut missed = Vec::new();
    for (name, request) in files("attacks").iter().flat_map(|path| uploads(path)) {
        let (is_attack, findings) = inspect(&request);
        if !is_attack {
            missed.push(format!("{name}: {findings:?}"));
        }
    }
    assert!(missed.is_empty(), "missed:\n{}", missed.join("\n"));
}

#[test]
fn files_of_common_programs_pass() {
    let mut blocked = Vec::new();
    for (name, request) in files("benign").iter().flat_map(|path| uploads(path)) {
        let (is_attack, findings) = inspect(&request);
        if is_attack {
            blocked.push(format!("{name}: {findings:?}"));
        }
    }
    assert!(blocked.is_empty(), "blocked:\n{}", blocked.join("\n"));
}

#[test]
fn truncated_files_pass_and_do_not_panic() {
    for path in files("benign") {
        let content = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        for eighth in 1..8 {
            let request = part(name, &content[..content.len() * eighth / 8]);
            let (is_attack, findings) = inspect(&request);
            assert!(!is_attack, "{name}, {eighth}/8: {findings:?}");
        }
    }
}
