//! Upload policy: the files that a route accepts, by the type of their content, their extension and
//! their size.

use crate::{
    budget::Budget,
    field::shown,
    file_type::{AllowedType, FileType},
    parse,
    point_path::PointArena,
};
use shared::{
    AttackType, Class, Confidence, Finding, InspectRequest, Point, ScorePart, Severity,
    point::{Step, Tag},
};

/// What a file may be. An empty list, or no size, allows everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UploadPolicy {
    pub types: Vec<AllowedType>,
    /// In lower case, without a dot.
    pub extensions: Vec<String>,
    pub max_bytes: Option<u64>,
}

/// A file in a request.
struct File<'f> {
    /// The point of its content.
    point: Point,
    name: &'f [u8],
    content: &'f [u8],
    /// Its size; of a truncated part the bytes that are there.
    bytes: u64,
}

/// The violations of a policy by the files of a request: parts with a file name, and a body of data.
pub(crate) fn violations(request: &InspectRequest, policy: &UploadPolicy) -> Vec<Finding> {
    if request.body.is_none() {
        return Vec::new();
    }
    let (mut budget, mut arena) = (Budget::for_request(), PointArena::default());
    let fields = parse::parse_body(request, &mut budget, &mut arena);
    let mut findings = Vec::new();
    let mut name: Option<(Point, &[u8])> = None;
    for field in &fields {
        let mut tags = arena.tags(field.point);
        match (tags.next(), tags.next()) {
            (Some(Tag::Name), Some(Tag::File)) => {
                let mut point = arena.point(field.point);
                point.0.pop();
                let file = File { point, name: &field.value, content: b"", bytes: 0 };
                findings.extend(policy.check_name(&file));
                name = Some((file.point, file.name));
            }
            (Some(Tag::File), _) => {
                let point = arena.point(field.point);
                let name = name.as_ref().filter(|(of, _)| *of == point).map_or(&b""[..], |(_, name)| *name);
                let bytes = u64::try_from(field.value.len()).unwrap_or(u64::MAX);
                findings.extend(policy.check_content(&File { point, name, content: &field.value, bytes }));
            }
            _ => {}
        }
    }
    if let Some(file) = body(request) {
        findings.extend(policy.check_name(&file));
        findings.extend(policy.check_content(&file));
    }
    findings
}

/// The body as a file, if a content type is that of data. Its name is the end of the path.
fn body(request: &InspectRequest) -> Option<File<'_>> {
    let header = |wanted: &'static str| {
        let headers = request.headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
        headers.map(|(_, value)| &**value)
    };
    let is_file = |it: &str| is_data_type(it) || it.trim_start().starts_with("image/");
    if !header("content-type").any(is_file) {
        return None;
    }
    let content = &request.body.as_ref()?.0;
    let seen = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let declared = header("content-length").filter_map(|it| it.trim().parse().ok()).max().unwrap_or(seen);
    let name = request.path.rsplit('/').next().unwrap_or_default().as_bytes();
    Some(File { point: Point::new(Tag::Post), name, content, bytes: seen.max(declared) })
}

impl UploadPolicy {
    fn check_name(&self, file: &File<'_>) -> Option<Finding> {
        let base = file.name.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
        let extension = base.iter().rposition(|byte| *byte == b'.').map_or(&b""[..], |at| &base[at + 1..]);
        let is_allowed = |it: &String| extension.eq_ignore_ascii_case(it.as_bytes());
        let is_violated = !self.extensions.is_empty() && !self.extensions.iter().any(is_allowed);
        is_violated.then(|| {
            let mut name_point = file.point.clone();
            if name_point.0.len() > 1 {
                name_point.0.push(Step { tag: Tag::Name, key: None });
            }
            finding("upload-extension", name_point, shown(file.name, Finding::PAYLOAD_CHARS))
        })
    }

    fn check_content(&self, file: &File<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let name = || shown(file.name, Finding::PAYLOAD_CHARS / 2);
        if !self.types.is_empty() {
            let file_type = FileType::of(file.content);
            if !self.types.iter().any(|allowed| allowed.allows(file_type)) {
                let payload = format!("{}: content of type {}", name(), file_type.name);
                findings.push(finding("upload-type", file.point.clone(), payload));
            }
        }
        if let Some(max) = self.max_bytes.filter(|max| file.bytes > *max) {
            let payload = format!("{}: {} bytes, limit {max}", name(), file.bytes);
            findings.push(finding("upload-size", file.point.clone(), payload));
        }
        findings
    }
}

fn finding(signature: &str, point: Point, payload: String) -> Finding {
    let attack_type = AttackType::FileUpload;
    let points = ScorePart::of_rule(Confidence::High).points;
    Finding {
        class: Class::of(&attack_type, signature),
        attack_type,
        point,
        signature: signature.to_owned(),
        severity: Severity::Medium,
        payload,
        span: (0, 0),
        decoded: Vec::new(),
        score: vec![ScorePart::new(points, "upload policy of the route")],
    }
}

/// Content types of data that no interpreter reads.
const DATA: &[&str] = &[
    "application/gzip",
    "application/octet-stream",
    "application/pdf",
    "application/vnd.",
    "application/x-tar",
    "application/zip",
    "audio/",
    "font/",
    "image/",
    "video/",
];

/// Whether a content type is that of data: files, and no text that a program reads.
pub fn is_data_type(content_type: &str) -> bool {
    let kind = content_type.trim_start().to_ascii_lowercase();
    let is_text = ["json", "xml", "graphql"].iter().any(|it| kind.contains(it));
    !is_text && DATA.iter().any(|start| kind.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::empty_request;
    use shared::Body;

    fn policy() -> UploadPolicy {
        UploadPolicy {
            types: ["image", "pdf"].iter().map(|it| AllowedType::parse(it).unwrap()).collect(),
            extensions: vec!["png".to_owned(), "pdf".to_owned()],
            max_bytes: Some(100),
        }
    }

    fn with_body(content_type: &str, body: &[u8]) -> InspectRequest {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        InspectRequest { headers, body: Some(Body(body.to_vec())), ..empty_request("POST") }
    }

    fn found(request: &InspectRequest) -> Vec<String> {
        let findings = violations(request, &policy()).into_iter();
        findings.map(|it| format!("{} {} {}", it.signature, it.point, it.payload)).collect()
    }

    fn upload(name: &str, content: &[u8]) -> InspectRequest {
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nwords\r\n\
             --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n"
        );
        with_body("multipart/form-data; boundary=b", &[head.as_bytes(), content, b"\r\n--b--\r\n"].concat())
    }

    #[test]
    fn files_and_other_fields_within_the_policy_pass() {
        assert_eq!(found(&upload("a.PNG", b"\x89PNG\r\n\x1a\n...")), Vec::<String>::new());
        assert_eq!(found(&upload("b.pdf", b"%PDF-1.7 ...")), Vec::<String>::new());
        assert_eq!(found(&with_body("application/x-www-form-urlencoded", b"a=1")), Vec::<String>::new());
        assert_eq!(found(&with_body("application/json", b"{\"a\":1}")), Vec::<String>::new());
        assert_eq!(found(&empty_request("GET")), Vec::<String>::new());
    }

    #[test]
    fn the_content_counts_and_not_the_declared_type() {
        assert_eq!(
            found(&upload("a.png", b"<html><script>alert(1)</script>")),
            ["upload-type post > multipart:f > file a.png: content of type html"]
        );
        assert_eq!(
            found(&upload("a.png", b"<svg/>")),
            ["upload-type post > multipart:f > file a.png: content of type svg"]
        );
    }

    #[test]
    fn extensions_and_sizes_are_limited() {
        assert_eq!(
            found(&upload("a.png.exe", &[b"GIF89a".as_slice(), &[0; 200]].concat())),
            [
                "upload-extension post > multipart:f > file > name a.png.exe",
                "upload-size post > multipart:f > file a.png.exe: 206 bytes, limit 100",
            ]
        );
        assert_eq!(found(&upload("noextension", b"GIF89a")).len(), 1);
    }

    #[test]
    fn a_body_of_data_is_a_file_named_by_the_path() {
        let whole = InspectRequest {
            path: "/files/a.png".to_owned(),
            ..with_body("application/octet-stream", b"GIF89a...")
        };
        assert_eq!(found(&whole), Vec::<String>::new());
        let mut truncated = InspectRequest { path: "/files/a".to_owned(), body_truncated: true, ..whole };
        truncated.headers.push(("content-length".to_owned(), "5000000".to_owned()));
        assert_eq!(
            found(&truncated),
            ["upload-extension post a", "upload-size post a: 5000000 bytes, limit 100"]
        );
    }
}
