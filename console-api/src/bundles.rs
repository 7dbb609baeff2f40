//! Bundles of the connector: the zips of `just bundle`, with configured parameters.

use connector::{
    bundle::{self, BundleError},
    parameters::FunctionKind,
};
use serde_json::{Map, Value};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The folder of the zips, if configured.
#[derive(Debug, Clone, Default)]
pub struct Bundles(Option<Arc<PathBuf>>);

#[derive(Debug, thiserror::Error)]
pub enum BundlesError {
    #[error(
        "this console has no bundles; start it with --bundle-dir DIR, the folder `just bundle` writes them to"
    )]
    NoFolder,
    #[error("the folder of --bundle-dir has no {file}; run `just bundle`")]
    NoFile { file: String },
    #[error("cannot read {file} in the folder of --bundle-dir")]
    Read { file: String, source: io::Error },
    #[error("packing the bundle was interrupted")]
    Interrupted,
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl Bundles {
    pub fn of(folder: Option<PathBuf>) -> Self {
        Self(folder.map(Arc::new))
    }

    pub fn are_available(&self) -> bool {
        self.0.is_some()
    }

    /// The zip of a function with these parameters.
    pub async fn configured(
        &self,
        function: FunctionKind,
        parameters: Map<String, Value>,
    ) -> Result<Vec<u8>, BundlesError> {
        let folder = self.0.clone().ok_or(BundlesError::NoFolder)?;
        // Packing is slow, so it runs on a blocking thread.
        let zip = tokio::task::spawn_blocking(move || configured(&folder, function, &parameters)).await;
        zip.unwrap_or(Err(BundlesError::Interrupted))
    }
}

fn configured(
    folder: &Path,
    function: FunctionKind,
    parameters: &Map<String, Value>,
) -> Result<Vec<u8>, BundlesError> {
    let file = bundle::file_name(function);
    let zip = fs::read(folder.join(&file)).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => BundlesError::NoFile { file },
        _ => BundlesError::Read { file, source },
    })?;
    Ok(bundle::configure(&zip, function, parameters)?)
}
