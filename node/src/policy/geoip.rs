//! Countries and autonomous systems of addresses, from `.mmdb` files.

use crate::config::GeoIpConfig;
use arc_swap::ArcSwap;
use decision::GeoFields;
use maxminddb::{MaxMindDbError, PathElement, Reader};
use shared::Location;
use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// The configured databases. Reloaded when their files change, e.g. by a weekly update.
#[derive(Default)]
pub struct GeoIp {
    countries: Option<ArcSwap<Database>>,
    systems: Option<ArcSwap<Database>>,
}

struct Database {
    key: &'static str,
    path: PathBuf,
    changed: Option<SystemTime>,
    reader: Reader<Vec<u8>>,
}

#[derive(Debug, thiserror::Error)]
pub enum GeoIpError {
    #[error("{key}: cannot read {path}: {cause}")]
    Read { key: &'static str, path: PathBuf, cause: io::Error },
    #[error("{key}: {path} is not a MaxMind database: {cause}")]
    Format { key: &'static str, path: PathBuf, cause: MaxMindDbError },
}

impl GeoIp {
    const INTERVAL: Duration = Duration::from_secs(5);

    pub fn open(config: &GeoIpConfig) -> Result<Self, GeoIpError> {
        let open = |key, path: &Option<PathBuf>| {
            let database = path.as_ref().map(|path| Database::open(key, path)).transpose()?;
            Ok::<_, GeoIpError>(database.map(ArcSwap::from_pointee))
        };
        Ok(Self {
            countries: open("geoip.country_file", &config.country_file)?,
            systems: open("geoip.asn_file", &config.asn_file)?,
        })
    }

    /// The fields that can be looked up.
    pub fn fields(&self) -> GeoFields {
        GeoFields { country: self.countries.is_some(), asn: self.systems.is_some() }
    }

    /// The wanted fields of an address.
    pub fn locate(&self, address: IpAddr, wanted: GeoFields) -> Location {
        let address = address.to_canonical();
        let find = |database: &Option<ArcSwap<Database>>, is_wanted| {
            database.as_ref().filter(|_| is_wanted).map(ArcSwap::load)
        };
        let country = find(&self.countries, wanted.country).and_then(|database| {
            // The country of use, else of registration.
            ["country", "registered_country"].into_iter().find_map(|name| {
                let path = [PathElement::Key(name), PathElement::Key("iso_code")];
                let result = database.reader.lookup(address).ok()?;
                Some(result.decode_path::<&str>(&path).ok()??.to_ascii_uppercase())
            })
        });
        let asn = find(&self.systems, wanted.asn).and_then(|database| {
            let path = [PathElement::Key("autonomous_system_number")];
            database.reader.lookup(address).ok()?.decode_path(&path).ok()?
        });
        Location { country, asn }
    }

    /// Reloads changed files, until `stop`. An invalid file changes nothing.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        if self.fields() == GeoFields::default() {
            return;
        }
        while stop.run_until_cancelled(tokio::time::sleep(Self::INTERVAL)).await.is_some() {
            let databases = self.clone();
            // A file may be as large as 100 MB.
            let _reloaded = tokio::task::spawn_blocking(move || databases.reload()).await;
        }
    }

    fn reload(&self) {
        for slot in self.countries.iter().chain(&self.systems) {
            let old = slot.load();
            let changed = changed_at(&old.path);
            if changed.is_none() || changed == old.changed {
                continue;
            }
            match Database::open(old.key, &old.path) {
                Ok(new) => {
                    info!("{}: reloaded {}", old.key, old.path.display());
                    slot.store(Arc::new(new));
                }
                Err(cause) => error!("cannot reload a GeoIP database, the loaded one stays in use: {cause}"),
            }
        }
    }
}

impl Database {
    fn open(key: &'static str, path: &Path) -> Result<Self, GeoIpError> {
        let changed = changed_at(path);
        let bytes = fs::read(path).map_err(|cause| GeoIpError::Read { key, path: path.to_owned(), cause })?;
        let reader = Reader::from_source(bytes).map_err(|cause| GeoIpError::Format {
            key,
            path: path.to_owned(),
            cause,
        })?;
        Ok(Self { key, path: path.to_owned(), changed, reader })
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

#[cfg(test)]
pub(crate) mod tests;
