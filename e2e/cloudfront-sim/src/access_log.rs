//! Access logs in CloudFront's formats: standard logs, standard logs (v2) in JSON, and real-time logs,
//! to files and to an HTTP endpoint as Amazon Data Firehose delivers them.
//!
//! Faults delay, repeat and lose records, as "delivers access logs on a best-effort basis" allows.

mod fields;
mod firehose;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::cloudfront::DistributionConfig;
use crate::faults::Faults;
use crate::http1::{Exchange, Observer};
use fields::Logged;

pub use fields::{LogFormat, REAL_TIME};
pub use firehose::{Firehose, FirehoseUrl};

/// All logs of a distribution.
#[derive(Debug)]
pub struct AccessLogs {
    distribution: DistributionConfig,
    destinations: Vec<(LogFormat, Destination)>,
    faults: Faults,
}

#[derive(Debug, Clone)]
enum Destination {
    File(Arc<Mutex<File>>),
    Firehose(Arc<Firehose>),
}

impl AccessLogs {
    /// Without a destination.
    pub fn new(distribution: &DistributionConfig) -> Self {
        let faults = distribution.faults.clone();
        Self { distribution: distribution.clone(), destinations: Vec::new(), faults }
    }

    /// Truncates the file.
    pub fn with_file(mut self, format: LogFormat, path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(format.header().as_bytes())?;
        self.destinations.push((format, Destination::File(Arc::new(Mutex::new(file)))));
        Ok(self)
    }

    /// A file of this format in a directory, which is created.
    pub fn with_directory(self, format: LogFormat, directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let name = format.file_name(&self.distribution.distribution_id);
        self.with_file(format, &directory.join(name))
    }

    /// Standard logs (v2), delivered by Firehose.
    #[must_use]
    pub fn with_firehose(mut self, firehose: Firehose) -> Self {
        self.destinations.push((LogFormat::V2Json, Destination::Firehose(Arc::new(firehose))));
        self
    }

    /// Each line is written immediately, for readers that follow the file, unless a fault delays it.
    pub fn write(&self, exchange: &Exchange<'_>, now: Timestamp) {
        let logged = Logged { exchange, now, distribution: &self.distribution, is_real_time: false };
        for (format, destination) in &self.destinations {
            let line = format.line(&logged);
            let delivery = self.faults.in_logs();
            for _ in 0..delivery.copies {
                let (destination, line) = (destination.clone(), line.clone());
                if delivery.delay.is_zero() {
                    destination.write(line);
                } else {
                    tokio::spawn(async move {
                        tokio::time::sleep(delivery.delay).await;
                        destination.write(line);
                    });
                }
            }
        }
    }

    /// Writes every exchange of a listener.
    pub fn observer(self) -> Observer {
        Arc::new(move |exchange| self.write(exchange, Timestamp::now()))
    }
}

impl Destination {
    fn write(&self, line: String) {
        match self {
            Self::Firehose(firehose) => firehose.push(line),
            Self::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                if let Err(error) = file.write_all(line.as_bytes()) {
                    tracing::warn!(%error, "cannot write the access log");
                }
            }
        }
    }
}
