//! `uploads`: the files that a route accepts.

use super::{
    scalar::Scalar,
    section::{Part, Section},
};
use engine::{AllowedType, UploadPolicy};

impl Part for UploadPolicy {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let types = section.list("types", Vec::new());
        let extensions: Vec<Extension> = section.list("extensions", Vec::new());
        let max_bytes = section.optional("max_file_bytes");
        let extensions = extensions.into_iter().map(|Extension(it)| it).collect();
        Some(Self { types, extensions, max_bytes })
    }
}

impl Scalar for AllowedType {
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| {
            let groups: Vec<_> = Self::groups().collect();
            let mut types: Vec<_> = Self::names().collect();
            types.sort_unstable();
            types.dedup();
            format!("must be a group ({}) or a type ({})", groups.join(", "), types.join(", "))
        })
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// The end of a file name, in lower case.
struct Extension(String);

impl Scalar for Extension {
    fn parse(text: &str) -> Result<Self, String> {
        let is_extension = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_extension {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err("must be an extension without its dot, such as png".to_owned())
        }
    }

    fn shown(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, environment::Environment};
    use std::path::Path;

    const START: &str =
        "version: 4\nmode: connector-server\nconnector: { address: \":5050\" }\nroute_config:\n";

    fn read(uploads: &str) -> Result<Config, String> {
        let text = format!(
            "{START}  uploads: {uploads}\n  routes:\n    - {{ route: /files, uploads: {{ types: [pdf] }} }}\n    - {{ route: /other }}\n"
        );
        Config::parse(Path::new("node.yaml"), &text, &Environment::default()).map_err(|it| it.to_string())
    }

    #[test]
    fn a_route_replaces_the_policy_that_it_inherits() {
        let config =
            read("{ types: [image, svg], extensions: [PNG, svg], max_file_bytes: 1_000_000 }").unwrap();
        let policy = |path: &str| {
            config
                .route_config
                .settings("shop.example", path)
                .uploads
                .clone()
                .map(|it| format!("{:?}", it.extensions))
        };
        assert_eq!(policy("/other/x").as_deref(), Some("[\"png\", \"svg\"]"));
        assert_eq!(policy("/files/x").as_deref(), Some("[]"));
        assert!(read("{}").unwrap().route_config.default.uploads.is_some());
    }

    #[test]
    fn unknown_types_and_extensions_with_dots_are_errors() {
        let error = read("{ types: [pictures], extensions: [.png] }").map(|_| ()).unwrap_err();
        assert!(error.contains("types: must be a group (image, audio,"), "{error}");
        assert!(error.contains("extensions: must be an extension without its dot"), "{error}");
    }
}
