//! Documentation checks: paths in `ARCHITECTURE.md` and relative links in Markdown files exist.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folders of the repository that paths in `ARCHITECTURE.md` start with.
const FOLDERS: [&str; 7] = ["shared", "connector", "node", "console-api", "e2e", "deploy", "docs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The code spans of a document that are paths of the repository.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(|span| {
        let (first, rest) = span.split_once('/').unwrap_or((span, ""));
        FOLDERS.contains(&first) && (span.len() == first.len() || !rest.contains(' '))
    })
}

/// Whether a path exists; `*` in a file name stands for any characters.
fn exists(path: &Path) -> io::Result<bool> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some((start, end)) = name.split_once('*') else { return Ok(path.exists()) };
    let folder = path.parent().unwrap_or(Path::new(""));
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(start) && name.ends_with(end) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[test]
fn every_path_in_the_architecture_exists() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let paths: Vec<_> = paths(&text).collect();
    assert!(paths.len() > 80, "only {} paths found", paths.len());
    let missing: Vec<_> =
        paths.into_iter().filter(|path| !exists(&root().join(path)).unwrap_or(false)).collect();
    assert_eq!(missing, [""; 0], "ARCHITECTURE.md names paths that do not exist");
}

#[test]
fn every_relative_link_exists() {
    let mut documents =
        vec![root().join("README.md"), root().join("ARCHITECTURE.md"), root().join("e2e/README.md")];
    documents.extend(fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    documents.push(root().join("e2e/cloudfront-sim/README.md"));
    let mut missing = Vec::new();
    for document in documents.iter().filter(|path| path.extension().is_some_and(|it| it == "md")) {
        let text = fs::read_to_string(document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.contains("://") && !link.starts_with(['#', '/'])) {
            let file = link.split('#').next().unwrap_or_default();
            if !document.with_file_name(file).exists() {
                missing.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
