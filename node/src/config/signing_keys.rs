//! `signing_keys`: if not empty, calls must be signed with one of them.

use super::{
    Secret,
    section::{Part, Section},
};
use shared::call_signature::SigningKey;

impl Part for SigningKey {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let (id, secret) = (section.required::<String>("id"), section.required::<Secret>("secret_file"));
        Some(Self::new(id?, secret?.expose()))
    }
}
