//! Attack types. A new one needs a code and a title here, a row in
//! [`classification`](crate::classification), and a detector in the engine.

use crate::text_enum::text_enum;

text_enum! {
    /// The type of an attack. Codes are those of Wallarm's documentation where it defines one.
    AttackType {
        Sqli = "sqli",
        Xss = "xss",
        Rce = "rce",
        PathTraversal = "ptrav",
        Xxe = "xxe",
        Nosqli = "nosqli",
        Ldapi = "ldapi",
        Ssrf = "ssrf",
        Ssti = "ssti",
        Ssi = "ssi",
        MailInjection = "mail_injection",
        Crlf = "crlf",
        OpenRedirect = "redir",
        MassAssignment = "mass_assignment",
        Scanner = "scanner",
        DataBomb = "data_bomb",
        InvalidXml = "invalid_xml",
        MalformedBody = "malformed_body",
        FileUpload = "file_upload_violation",
        Overlimit = "overlimit_res",
        VirtualPatch = "vpatch",
        BlockedSource = "blocked_source",
        Brute = "brute",
        ForcedBrowsing = "dirbust",
        Bola = "bola",
        RateLimit = "rate_limit",
        SessionFixation = "session_fixation",
        GraphqlDocumentSize = "gql_doc_size",
        GraphqlValueSize = "gql_value_size",
        GraphqlDepth = "gql_depth",
        GraphqlAliases = "gql_aliases",
        GraphqlBatch = "gql_docs_per_batch",
        GraphqlIntrospection = "gql_introspection",
        GraphqlDebug = "gql_debug",
    }
}

impl AttackType {
    /// The display name.
    pub fn title(&self) -> &str {
        match self {
            Self::Sqli => "SQL injection",
            Self::Xss => "Cross-site scripting",
            Self::Rce => "Remote code execution",
            Self::PathTraversal => "Path traversal",
            Self::Xxe => "XML external entity",
            Self::Nosqli => "NoSQL injection",
            Self::Ldapi => "LDAP injection",
            Self::Ssrf => "Server-side request forgery",
            Self::Ssti => "Server-side template injection",
            Self::Ssi => "Server-side include",
            Self::MailInjection => "Mail injection",
            Self::Crlf => "CRLF injection",
            Self::OpenRedirect => "Open redirect",
            Self::MassAssignment => "Mass assignment",
            Self::Scanner => "Scanner",
            Self::DataBomb => "Data bomb",
            Self::InvalidXml => "Invalid XML",
            Self::MalformedBody => "Malformed body",
            Self::FileUpload => "File upload violation",
            Self::Overlimit => "Analysis limit exceeded",
            Self::VirtualPatch => "Virtual patch",
            Self::BlockedSource => "Blocked source",
            Self::Brute => "Brute force",
            Self::ForcedBrowsing => "Forced browsing",
            Self::Bola => "Broken object level authorization",
            Self::RateLimit => "Rate limit",
            Self::SessionFixation => "Session fixation",
            Self::GraphqlDocumentSize => "GraphQL document too large",
            Self::GraphqlValueSize => "GraphQL value too large",
            Self::GraphqlDepth => "GraphQL query too deep",
            Self::GraphqlAliases => "Too many GraphQL aliases",
            Self::GraphqlBatch => "Too many GraphQL documents in a batch",
            Self::GraphqlIntrospection => "GraphQL introspection",
            Self::GraphqlDebug => "GraphQL debug mode",
            Self::Other(code) => code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_every_code_to_its_type() {
        for known in AttackType::ALL {
            assert_eq!(&AttackType::from(known.as_str()), known);
            assert_ne!(known.title(), "");
        }
    }

    #[test]
    fn keeps_a_code_of_a_newer_version() {
        let newer: AttackType = serde_json::from_str("\"prompt_injection\"").unwrap();
        assert_eq!(serde_json::to_string(&newer).unwrap(), "\"prompt_injection\"");
    }
}
