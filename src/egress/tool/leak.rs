//! Credentials that a server sends back: found in what a guest is to read, and blotted out.
//!
//! What is blotted out keeps its length, so that the response stays as long as it said it is.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use memchr::memmem;

/// What must not be read, in the forms that servers write it in.
pub(super) struct Secrets {
    forms: Vec<(String, Vec<u8>)>,
    longest: usize,
}

/// Shorter ones are found in everything.
const SHORTEST: usize = 6;
/// What stands in place of each byte.
const BLOT: u8 = b'*';

/// Searches one response, piece by piece.
pub(super) struct Scanner {
    secrets: Arc<Secrets>,
    plugin: String,
    /// What may be the beginning of one.
    kept: Vec<u8>,
    told: bool,
}

// === impl Secrets ===

impl Secrets {
    /// Those of these names and values.
    pub(super) fn new<'a>(secrets: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut forms = Vec::new();
        for (name, value) in secrets.filter(|(_, value)| value.len() >= SHORTEST) {
            let quoted = serde_json::Value::from(value).to_string();
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let base = STANDARD.encode(value);
            for form in [value, quoted.trim_matches('"'), &encoded, base.trim_end_matches('=')] {
                if !forms.iter().any(|(_, known): &(String, Vec<u8>)| known == form.as_bytes()) {
                    forms.push((name.to_owned(), form.as_bytes().to_vec()));
                }
            }
        }
        let longest = forms.iter().map(|(_, form)| form.len()).max().unwrap_or_default();
        Self { forms, longest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// Blots all of them out of `bytes`, and names one that was there.
    fn blot(&self, bytes: &mut [u8]) -> Option<&str> {
        let mut found = None;
        for (name, form) in &self.forms {
            let places: Vec<usize> = memmem::find_iter(bytes, form).collect();
            for place in places {
                if let Some(secret) = bytes.get_mut(place..place + form.len()) {
                    secret.fill(BLOT);
                    found = Some(name.as_str());
                }
            }
        }
        found
    }
}

// === impl Scanner ===

impl Scanner {
    pub(super) fn new(secrets: Arc<Secrets>, plugin: &str) -> Self {
        Self { secrets, plugin: plugin.to_owned(), kept: Vec::new(), told: false }
    }

    /// What of `bytes` and what was kept can be read.
    pub(super) fn more(&mut self, bytes: Bytes) -> Bytes {
        if self.secrets.is_empty() {
            return bytes;
        }
        self.kept.extend_from_slice(&bytes);
        let mut kept = std::mem::take(&mut self.kept);
        self.search(&mut kept);
        // One that is not whole yet may begin in the last bytes.
        let sure = kept.len().saturating_sub(self.secrets.longest.saturating_sub(1));
        self.kept = kept.split_off(sure);
        kept.into()
    }

    /// The rest.
    pub(super) fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.kept).into()
    }

    /// A text that comes in one piece.
    pub(super) fn whole(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        self.search(&mut bytes);
        bytes
    }

    fn search(&mut self, bytes: &mut [u8]) {
        let (secrets, plugin) = (self.secrets.clone(), &self.plugin);
        if let Some(name) = secrets.blot(bytes)
            && !std::mem::replace(&mut self.told, true)
        {
            tracing::warn!(
                plugin,
                secret = name,
                "a server sent the credential `{name}` back to plugin `{plugin}`; it was blotted out: see \
                 plugins.grants.{plugin}.secrets, and whether that server deserves it"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secrets() -> Arc<Secrets> {
        Arc::new(Secrets::new([("api", "s3cr3t+\"key")].into_iter()))
    }

    #[test]
    fn every_form_is_found() {
        for form in ["s3cr3t+\"key", "s3cr3t+\\\"key", "s3cr3t%2B%22key", "czNjcjN0KyJrZXk"] {
            let text = format!("before {form} after");
            let clean = Scanner::new(secrets(), "p").whole(text.as_bytes());
            let clean = String::from_utf8(clean).unwrap();
            assert_eq!(clean.len(), text.len());
            assert!(clean.starts_with("before *") && clean.ends_with("* after"), "{form}: {clean}");
        }
    }

    proptest! {
        #[test]
        fn wherever_it_is_cut(before in "[a-z3]{0,20}", after in "[a-z3]{0,20}", size in 1usize..9) {
            let text = format!("{before}s3cr3t+\"key{after}");
            let mut scanner = Scanner::new(secrets(), "p");
            let mut out = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                out.extend_from_slice(&scanner.more(Bytes::copy_from_slice(piece)));
            }
            out.extend_from_slice(&scanner.finish());
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{before}{}{after}", "*".repeat(11)));
        }

        #[test]
        fn what_holds_none_stays_as_it_is(text in "[a-z ]{0,64}", size in 1usize..9) {
            let mut scanner = Scanner::new(secrets(), "p");
            let mut out = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                out.extend_from_slice(&scanner.more(Bytes::copy_from_slice(piece)));
            }
            out.extend_from_slice(&scanner.finish());
            prop_assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
