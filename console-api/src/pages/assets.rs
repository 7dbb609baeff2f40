//! Static files of the pages. Addresses contain a content hash, so browsers cache them without an
//! end.

use crate::{digest::sha256_hex, error::ApiError};
use axum::{
    extract::Path,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use std::{io::Write as _, sync::LazyLock};

macro_rules! files {
    ($($name:literal)+) => { &[$(File { name: $name, text: include_str!(concat!("../../web/", $name)) }),+] };
}

/// Every style sheet, script and image of `web/`; a test compares.
const FILES: &[File] = files! {
    "alerts.js" "app.js" "busy.js" "cells.js" "chart.js" "complete.js" "copy.js" "dom.js" "drawer.js" "icon.svg" "keys.js" "live.js" "search.js" "selection.js" "style.css"
    "theme.js" "times.js"
};

struct File {
    name: &'static str,
    text: &'static str,
}

/// The files of this build.
struct Edition {
    /// Of all files: scripts import each other by relative names.
    hash: String,
    gzip: Vec<Vec<u8>>,
}

static EDITION: LazyLock<Edition> = LazyLock::new(|| {
    let all: String = FILES.iter().flat_map(|file| [file.name, "\n", file.text]).collect();
    Edition {
        hash: sha256_hex(all.as_bytes())[..16].to_owned(),
        gzip: FILES.iter().map(|file| compressed(file.text)).collect(),
    }
});

/// The address of a file.
pub(super) fn address(name: &str) -> String {
    format!("/static/{}/{name}", EDITION.hash)
}

pub(super) async fn serve(
    Path((hash, name)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    let known = FILES.iter().position(|file| file.name == name).filter(|_| hash == EDITION.hash);
    let index = known.ok_or_else(|| ApiError::not_found("file", &name))?;
    let headers = [
        (header::CONTENT_TYPE, FILES[index].content_type().to_owned()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, format!("\"{hash}-{index}\"")),
        (header::VARY, "accept-encoding".to_owned()),
    ];
    let has = |name: HeaderName, word: &str| {
        request.get_all(name).iter().any(|value| value.to_str().is_ok_and(|value| value.contains(word)))
    };
    if has(header::IF_NONE_MATCH, &headers[2].1) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    if has(header::ACCEPT_ENCODING, "gzip") {
        let encoding = [(header::CONTENT_ENCODING, "gzip")];
        return Ok((headers, encoding, EDITION.gzip[index].as_slice()).into_response());
    }
    Ok((headers, FILES[index].text).into_response())
}

impl File {
    fn content_type(&self) -> &'static str {
        match kind(self.name) {
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        }
    }
}

fn kind(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, kind)| kind)
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.expect("writing to memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs};

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/web")).unwrap();
        let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let there: BTreeSet<_> = names.filter(|name| kind(name) != "html").collect();
        assert_eq!(there, FILES.iter().map(|file| file.name.to_owned()).collect());
    }

    /// Scripts handle payloads only as text nodes, or as HTML that the server escaped.
    #[test]
    fn scripts_do_not_parse_text_as_markup_or_code() {
        const MARKUP: &[&str] = &[
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "createContextualFragment",
            "setHTML",
            "srcdoc",
            "document.write",
            "eval(",
            "Function(",
            "javascript:",
            "setAttribute('on",
            "style=",
        ];
        for file in FILES.iter().filter(|file| kind(file.name) == "js") {
            for word in MARKUP {
                assert!(!file.text.contains(word), "{} has {word}", file.name);
            }
            assert_eq!(file.text.contains("DOMParser"), file.name == "dom.js", "{}", file.name);
        }
    }
}
