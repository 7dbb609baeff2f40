//! Pieces that set access logs up: commands, CloudFormation and Terraform.

use super::LogsUrl;
use crate::doctor::{deployment::Deployment, document::Documents};
use access_log::Selection;
use clap::ValueEnum;

/// What the pieces are for.
#[derive(Debug, Clone)]
pub struct Setup<'s> {
    url: &'s LogsUrl,
    distribution_id: &'s str,
    distribution_arn: &'s str,
    /// The deployment: the stream and its role are called `{name}-logs`.
    name: &'s str,
    /// Real-time logs instead of standard logs (v2).
    is_real_time: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SetupFormat {
    Cli,
    #[value(name = "cloudformation")]
    CloudFormation,
    Terraform,
}

impl SetupFormat {
    fn template(self, is_real_time: bool) -> &'static str {
        match (self, is_real_time) {
            (Self::Cli, false) => include_str!("setup/standard.sh"),
            (Self::Cli, true) => include_str!("setup/real-time.sh"),
            (Self::CloudFormation, false) => include_str!("setup/standard.yaml"),
            (Self::CloudFormation, true) => include_str!("setup/real-time.yaml"),
            (Self::Terraform, false) => include_str!("setup/standard.tf"),
            (Self::Terraform, true) => include_str!("setup/real-time.tf"),
        }
    }

    /// A list of names on one line.
    fn list(self, names: &[&str]) -> String {
        let (quote, separator) = match self {
            Self::Cli => ('\'', " "),
            Self::CloudFormation | Self::Terraform => ('"', ", "),
        };
        names.iter().map(|name| format!("{quote}{name}{quote}")).collect::<Vec<_>>().join(separator)
    }
}

impl<'s> Setup<'s> {
    /// `None` without the URL, or without the distribution's id and ARN. The values become parts of a
    /// script: the ones in a file must have the form of AWS's.
    pub fn new(documents: &'s Documents, deployment: &'s Deployment, is_real_time: bool) -> Option<Self> {
        let is_word = |text: &&str, more: &[u8]| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte)) && !text.is_empty()
        };
        Some(Self {
            url: deployment.logs.as_ref()?,
            distribution_id: documents.distribution_id.as_deref().filter(|id| is_word(id, b""))?,
            distribution_arn: documents.distribution_arn.as_deref().filter(|arn| is_word(arn, b":/-"))?,
            name: Some(deployment.name.as_str()).filter(|name| is_word(name, b"-_"))?,
            is_real_time,
        })
    }

    /// The text of a piece.
    pub fn render(&self, format: SetupFormat) -> String {
        let selection = if self.is_real_time { Selection::RealTime } else { Selection::StandardV2 };
        let values = [
            ("@URL@", self.url.0.as_str()),
            ("@NAME@", self.name),
            ("@DISTRIBUTION@", self.distribution_id),
            ("@ARN@", self.distribution_arn),
            ("@FIELDS@", &format.list(selection.fields())),
            ("@NODE_FIELDS@", &selection.fields().join(", ")),
        ];
        let template = format.template(self.is_real_time).to_owned();
        values.iter().fold(template, |text, (placeholder, value)| text.replace(placeholder, value))
    }
}
