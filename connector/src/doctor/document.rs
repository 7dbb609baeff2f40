//! JSON documents of the AWS command line (`aws … get-…`), with the fields that the doctor checks.

use super::log_documents::LogDocuments;
use serde::Deserialize;
use serde_json::Value;

/// All documents read. A file contains one document, or a list of them.
#[derive(Debug, Default)]
pub struct Documents {
    distribution: Option<Distribution>,
    /// Absent from the output of `get-distribution-config`.
    pub(super) distribution_id: Option<String>,
    pub(super) distribution_arn: Option<String>,
    pub(super) cache_policies: Vec<CachePolicy>,
    pub(super) origin_request_policies: Vec<OriginRequestPolicy>,
    pub(super) functions: Vec<Function>,
    pub(super) roles: Vec<Role>,
    pub(super) logs: LogDocuments,
}

#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("{file} is not JSON")]
    Json { file: String, source: serde_json::Error },
    #[error("{file}: {document} does not match the format that AWS prints")]
    Form { file: String, document: &'static str, source: serde_json::Error },
    #[error(
        "{file} is not the output of aws cloudfront get-distribution, get-distribution-config, \
         get-cache-policy, get-origin-request-policy or get-realtime-log-config, aws lambda \
         get-function-configuration, aws iam get-role, aws logs describe-delivery-sources, describe-deliveries or \
         describe-delivery-destinations, or aws firehose describe-delivery-stream"
    )]
    Unknown { file: String },
    #[error(
        "no file contains a distribution; save one with: aws cloudfront get-distribution --id ID > distribution.json"
    )]
    NoDistribution,
    #[error("the distribution has no behavior for the path pattern {0:?}")]
    NoSuchBehavior(String),
}

impl Documents {
    /// Adds the documents of a file; `file` is its name in errors.
    pub fn read(&mut self, file: &str, text: &str) -> Result<(), DocumentError> {
        let json = serde_json::from_str(text)
            .map_err(|source| DocumentError::Json { file: file.to_owned(), source })?;
        match json {
            Value::Array(documents) => {
                documents.into_iter().try_for_each(|document| self.add(file, document))
            }
            document => self.add(file, document),
        }
    }

    pub(super) fn distribution(&self) -> Result<&Distribution, DocumentError> {
        self.distribution.as_ref().ok_or(DocumentError::NoDistribution)
    }

    fn add(&mut self, file: &str, mut json: Value) -> Result<(), DocumentError> {
        let mut inner = |pointer: &str| json.pointer_mut(pointer).map(Value::take);
        let file = || file.to_owned();
        let mut text = |pointer: &str| match inner(pointer) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (id, arn) = (text("/Distribution/Id"), text("/Distribution/ARN"));
        if let Some(config) =
            inner("/Distribution/DistributionConfig").or_else(|| inner("/DistributionConfig"))
        {
            self.distribution = Some(parse(config, "the distribution", file)?);
            (self.distribution_id, self.distribution_arn) = (id, arn);
        } else if let Some(policy) = inner("/CachePolicy") {
            self.cache_policies.push(parse(policy, "the cache policy", file)?);
        } else if let Some(policy) = inner("/OriginRequestPolicy") {
            self.origin_request_policies.push(parse(policy, "the origin request policy", file)?);
        } else if let Some(function) = inner("/Configuration") {
            self.functions.push(parse(function, "the function", file)?);
        } else if json.get("FunctionArn").is_some() {
            self.functions.push(parse(json, "the function", file)?);
        } else if let Some(role) = json.get_mut("Role").map(Value::take) {
            self.roles.push(parse(role, "the role", file)?);
        } else if let Some(added) = self.logs.add(&mut json) {
            added.map_err(|(document, source)| DocumentError::Form { file: file(), document, source })?;
        } else {
            return Err(DocumentError::Unknown { file: file() });
        }
        Ok(())
    }
}

fn parse<T: serde::de::DeserializeOwned>(
    json: Value,
    document: &'static str,
    file: impl Fn() -> String,
) -> Result<T, DocumentError> {
    serde_json::from_value(json).map_err(|source| DocumentError::Form { file: file(), document, source })
}

/// A list; AWS leaves out `Items` when it is empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Items<T> {
    #[serde(default = "Vec::new")]
    pub(super) items: Vec<T>,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Distribution {
    default_cache_behavior: Behavior,
    #[serde(default)]
    cache_behaviors: Items<Behavior>,
    #[serde(default)]
    custom_error_responses: Items<ErrorPage>,
    /// Standard logging (legacy).
    #[serde(default)]
    pub(super) logging: Logging,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Logging {
    pub(super) enabled: bool,
    pub(super) include_cookies: bool,
    pub(super) bucket: String,
    pub(super) prefix: String,
}

impl Distribution {
    /// In the order in which CloudFront matches them.
    pub(super) fn behaviors(&self) -> impl Iterator<Item = &Behavior> {
        self.cache_behaviors.items.iter().chain([&self.default_cache_behavior])
    }

    pub(super) fn error_page(&self, status: u16) -> Option<&ErrorPage> {
        self.custom_error_responses.items.iter().find(|page| page.error_code == status)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ErrorPage {
    pub(super) error_code: u16,
    pub(super) response_page_path: Option<String>,
    pub(super) response_code: Option<String>,
    #[serde(rename = "ErrorCachingMinTTL", default = "default_error_ttl")]
    pub(super) error_caching_min_ttl: u64,
}

/// CloudFront's default, in seconds.
fn default_error_ttl() -> u64 {
    10
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Behavior {
    path_pattern: Option<String>,
    pub(super) cache_policy_id: Option<String>,
    pub(super) origin_request_policy_id: Option<String>,
    /// Legacy settings of behaviors without policies.
    pub(super) forwarded_values: Option<ForwardedValues>,
    #[serde(rename = "MaxTTL")]
    pub(super) max_ttl: Option<u64>,
    #[serde(default)]
    pub(super) lambda_function_associations: Items<LambdaAssociation>,
    #[serde(default)]
    pub(super) function_associations: Items<FunctionAssociation>,
    #[serde(default)]
    pub(super) grpc_config: GrpcConfig,
    pub(super) realtime_log_config_arn: Option<String>,
}

impl Behavior {
    /// `*` for the default behavior, as the console calls it.
    pub(super) fn pattern(&self) -> &str {
        self.path_pattern.as_deref().unwrap_or("*")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GrpcConfig {
    pub(super) enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ForwardedValues {
    pub(super) query_string: bool,
    pub(super) cookies: Option<Cookies>,
    #[serde(default)]
    pub(super) headers: Items<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Cookies {
    pub(super) forward: String,
    #[serde(default)]
    pub(super) whitelisted_names: Items<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LambdaAssociation {
    #[serde(rename = "LambdaFunctionARN")]
    pub(super) arn: String,
    pub(super) event_type: String,
    #[serde(default)]
    pub(super) include_body: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FunctionAssociation {
    #[serde(rename = "FunctionARN")]
    pub(super) arn: String,
    pub(super) event_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CachePolicy {
    pub(super) id: String,
    pub(super) cache_policy_config: CachePolicyConfig,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CachePolicyConfig {
    #[serde(rename = "MaxTTL")]
    pub(super) max_ttl: Option<u64>,
    pub(super) parameters_in_cache_key_and_forwarded_to_origin: Option<PolicyParts>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OriginRequestPolicy {
    pub(super) id: String,
    pub(super) origin_request_policy_config: PolicyParts,
}

#[derive(Debug, Deserialize)]
pub(super) struct PolicyParts {
    #[serde(rename = "HeadersConfig")]
    pub(super) headers: HeadersConfig,
    #[serde(rename = "CookiesConfig")]
    pub(super) cookies: CookiesConfig,
    #[serde(rename = "QueryStringsConfig")]
    pub(super) query_strings: QueryStringsConfig,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HeadersConfig {
    pub(super) header_behavior: String,
    #[serde(default)]
    pub(super) headers: Items<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CookiesConfig {
    pub(super) cookie_behavior: String,
    #[serde(default)]
    pub(super) cookies: Items<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueryStringsConfig {
    pub(super) query_string_behavior: String,
    #[serde(default)]
    pub(super) query_strings: Items<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Function {
    #[serde(rename = "FunctionArn")]
    pub(super) arn: String,
    pub(super) runtime: Option<String>,
    pub(super) role: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Role {
    pub(super) arn: String,
    /// A policy: JSON, or JSON as text.
    pub(super) assume_role_policy_document: Value,
}
