//! What a tool answers: text and media for a model, JSON for a program.

use serde::Serialize;

use super::{Error, Output};
use crate::chat::{Media, MediaSource, ResultPart};

/// A tool's answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    parts: Vec<ResultPart>,
    structured: Option<Result<String, String>>,
}

impl Reply {
    /// An answer of one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { parts: vec![ResultPart::Text(text.into())], structured: None }
    }

    /// An answer that is JSON for models and programs alike.
    pub fn json(value: &impl Serialize) -> Self {
        let written = serde_json::to_string(value).map_err(|error| error.to_string());
        let parts = written.iter().map(|text| ResultPart::Text(text.clone())).collect();
        Self { parts, structured: Some(written) }
    }

    /// The same, with what a program reads.
    #[must_use]
    pub fn with(mut self, structured: &impl Serialize) -> Self {
        self.structured = Some(serde_json::to_string(structured).map_err(|error| error.to_string()));
        self
    }

    /// The same, with one more text.
    #[must_use]
    pub fn and_text(mut self, text: impl Into<String>) -> Self {
        self.parts.push(ResultPart::Text(text.into()));
        self
    }

    /// The same, with an image or another medium in base64.
    #[must_use]
    pub fn and_media(mut self, mime: impl Into<String>, base64: impl Into<String>) -> Self {
        let source = MediaSource::Base64(base64.into());
        self.parts.push(ResultPart::Media(Media { mime: mime.into(), source, name: None, detail: None }));
        self
    }

    pub(super) fn finish(self) -> Result<Output, Error> {
        let structured = self.structured.transpose();
        let structured = structured.map_err(|error| Error::failed(format!("the answer can't be written: {error}")))?;
        Ok(Output { parts: self.parts, structured })
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}
