//! Bundles of the CloudFront connector, with the caller's parameters and signing key.

use crate::{
    attachment::Attachment,
    bundles::{Bundles, BundlesError},
    error::ApiError,
    store::Store,
};
use connector::{bundle, parameters::FunctionKind};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Parameters of a function that signs.
const KEY_ID: &str = "wlrm_signing_key_id";
const KEY: &str = "wlrm_signing_key";

/// The contents of a bundle.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleOrder {
    /// `request` or `response`.
    pub function: String,
    /// By the names of the launcher; absent parameters keep the values of the zip.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// The id of a key of `/connectors/keys`, which is added to the bundle.
    #[serde(default)]
    pub signing_key: Option<Uuid>,
}

/// The zip of a function, ready for upload to AWS Lambda.
pub async fn download(
    store: &Store,
    bundles: &Bundles,
    mut order: BundleOrder,
) -> Result<Attachment, ApiError> {
    let function = order.function()?;
    order.add_key(store).await?;
    let zip = bundles.configured(function, order.parameters).await.map_err(|error| rejected(&error))?;
    let file_name = bundle::file_name(function);
    Ok(Attachment { content_type: "application/zip", file_name, body: zip.into() })
}

impl BundleOrder {
    fn function(&self) -> Result<FunctionKind, ApiError> {
        let mut all = [FunctionKind::Request, FunctionKind::Response].into_iter();
        all.find(|function| function.as_str() == self.function)
            .ok_or_else(|| ApiError::parameter("function", "`function` must be \"request\" or \"response\""))
    }

    /// Adds the key to the parameters of the function.
    async fn add_key(&mut self, store: &Store) -> Result<(), ApiError> {
        let Some(id) = self.signing_key else { return Ok(()) };
        let wrong = |detail: &str| ApiError::parameter("signing_key", format!("`signing_key` {detail}"));
        let secret = store.signing_secret(id).await?.ok_or_else(|| wrong("must be the id of a key"))?;
        for (name, value) in [(KEY_ID, id.to_string()), (KEY, secret.reveal().to_owned())] {
            if self.parameters.insert(name.to_owned(), value.into()).is_some() {
                return Err(wrong(&format!("and the parameter {name} cannot both be given")));
            }
        }
        Ok(())
    }
}

/// A wrong parameter is the caller's error; every other error is one of the console's setup.
fn rejected(error: &BundlesError) -> ApiError {
    let parameter = if let BundlesError::Bundle(cause) = error { cause.parameter() } else { None };
    match parameter {
        Some(name) => ApiError::parameter(name, error.to_string()),
        None => ApiError::Conflict(error.to_string()),
    }
}
