//! Response headers policies of a description.

use super::document::{ConfigError, Item, Object};
use crate::cloudfront::policy::{Cors, PolicyHeader, ResponseHeadersPolicy};

pub(super) fn policy(item: &Item<'_>) -> Result<ResponseHeadersPolicy, ConfigError> {
    let config = item.object()?;
    config.ignore(&["Name", "Comment"]);
    let mut policy = ResponseHeadersPolicy::default();
    if let Some(cors) = config.get("CorsConfig") {
        policy.cors = Some(self::cors(&cors)?);
    }
    if let Some(security) = config.get("SecurityHeadersConfig") {
        policy.headers = self::security(&security.object()?)?;
    }
    for header in config.list("CustomHeadersConfig")? {
        let header = header.object()?;
        let (name, value) = (header.require("Header")?.text()?, header.text("Value")?.unwrap_or_default());
        policy.headers.push(PolicyHeader { name, value, overrides: header.flag("Override")? });
    }
    for header in config.list("RemoveHeadersConfig")? {
        policy.remove.push(header.field("Header")?.text()?);
    }
    config.finish();
    Ok(policy)
}

fn cors(item: &Item<'_>) -> Result<Cors, ConfigError> {
    let config = item.object()?;
    let mut methods = config.texts("AccessControlAllowMethods")?;
    if methods.iter().any(|method| method == "ALL") {
        methods = ["GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].map(str::to_owned).to_vec();
    }
    let cors = Cors {
        origins: config.texts("AccessControlAllowOrigins")?,
        methods,
        headers: config.texts("AccessControlAllowHeaders")?,
        expose: config.texts("AccessControlExposeHeaders")?,
        max_age: config.number("AccessControlMaxAgeSec")?,
        credentials: config.flag("AccessControlAllowCredentials")?,
        overrides: config.flag("OriginOverride")?,
    };
    config.finish();
    Ok(cors)
}

fn security(config: &Object) -> Result<Vec<PolicyHeader>, ConfigError> {
    let mut headers = Vec::new();
    // Headers whose value is sent as configured.
    for (key, name, field) in [
        ("ContentSecurityPolicy", "Content-Security-Policy", "ContentSecurityPolicy"),
        ("FrameOptions", "X-Frame-Options", "FrameOption"),
        ("ReferrerPolicy", "Referrer-Policy", "ReferrerPolicy"),
    ] {
        if let Some(item) = config.get(key) {
            let value = item.field(field)?.text()?;
            headers.push(header(name, value, &item)?);
        }
    }
    if let Some(item) = config.get("ContentTypeOptions") {
        headers.push(header("X-Content-Type-Options", "nosniff".to_owned(), &item)?);
    }
    if let Some(item) = config.get("StrictTransportSecurity") {
        let transport = item.object()?;
        let mut value = format!("max-age={}", transport.require("AccessControlMaxAgeSec")?.number()?);
        value += if transport.flag("IncludeSubdomains")? { "; includeSubDomains" } else { "" };
        value += if transport.flag("Preload")? { "; preload" } else { "" };
        headers.push(header("Strict-Transport-Security", value, &item)?);
    }
    if let Some(item) = config.get("XSSProtection") {
        let protection = item.object()?;
        let mut value = if protection.require("Protection")?.flag()? { "1" } else { "0" }.to_owned();
        value += if protection.flag("ModeBlock")? { "; mode=block" } else { "" };
        if let Some(uri) = protection.text("ReportUri")? {
            value = format!("{value}; report={uri}");
        }
        headers.push(header("X-XSS-Protection", value, &item)?);
    }
    config.finish();
    Ok(headers)
}

fn header(name: &str, value: String, item: &Item) -> Result<PolicyHeader, ConfigError> {
    Ok(PolicyHeader { name: name.to_owned(), value, overrides: item.object()?.flag("Override")? })
}
