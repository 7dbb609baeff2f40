//! Certificates of a faulty node.

use super::Fault;
use cloudfront_sim::certificates::Authority;
use rcgen::{CertificateParams, date_time_ymd};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// A valid certificate for `localhost`, and invalid ones. Clones share them.
#[derive(Clone)]
pub struct Certificates {
    authority: String,
    good: TlsAcceptor,
    wrong_authority: TlsAcceptor,
    wrong_name: TlsAcceptor,
    expired: TlsAcceptor,
}

impl Certificates {
    pub fn new() -> anyhow::Result<Self> {
        let (ours, other) = (Authority::new()?, Authority::new()?);
        let good = CertificateParams::new(vec!["localhost".to_owned()])?;
        let wrong_name = CertificateParams::new(vec!["other.example.com".to_owned()])?;
        let mut expired = good.clone();
        (expired.not_before, expired.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        Ok(Self {
            authority: ours.pem(),
            wrong_authority: acceptor(&good, &other)?,
            good: acceptor(&good, &ours)?,
            wrong_name: acceptor(&wrong_name, &ours)?,
            expired: acceptor(&expired, &ours)?,
        })
    }

    /// The certificate of the authority that signed all but one, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) fn acceptor(&self, fault: Fault) -> &TlsAcceptor {
        match fault {
            Fault::WrongAuthority => &self.wrong_authority,
            Fault::WrongName => &self.wrong_name,
            Fault::Expired => &self.expired,
            _ => &self.good,
        }
    }
}

fn acceptor(parameters: &CertificateParams, authority: &Authority) -> anyhow::Result<TlsAcceptor> {
    Ok(Arc::new(authority.server(parameters, &[])?).into())
}
