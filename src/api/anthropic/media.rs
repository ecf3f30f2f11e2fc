//! Anthropic's images and documents, read into the chat model.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::message::{Depth, content, rest};
use crate::http::Fields;
use crate::model::Result;
use crate::model::chat::{Media, MediaSource, Part};

/// What a source comes to.
enum Source {
    Media(Media),
    Parts(Vec<Part>),
}

/// Reads the rest of an image; nothing where it can't be held whole.
pub(super) fn image(fields: &mut Fields) -> Result<Option<Media>> {
    Ok(match source(fields, "image/*", "image/*", Depth::Block)? {
        Some(Source::Media(media)) if media.mime.starts_with("image/") => Some(media),
        _ => None,
    })
}

/// Reads the rest of a document; nothing where it can't be held whole.
pub(super) fn document(fields: &mut Fields, depth: Depth) -> Result<Option<Vec<Part>>> {
    let source = source(fields, "application/pdf", "application/octet-stream", depth)?;
    let name: Option<String> = fields.take("title")?;
    let cites = match fields.take_object("citations")? {
        Some(mut citations) => citations.take::<bool>("enabled")?.unwrap_or_default() || !rest(citations).is_empty(),
        None => false,
    };
    // A context, and whether to cite, mean nothing elsewhere.
    if cites || fields.has("context") {
        return Ok(None);
    }
    Ok(match source {
        Some(Source::Media(media)) => Some(vec![Part::Media(Media { name, ..media })]),
        Some(Source::Parts(parts)) if name.is_none() => Some(parts),
        _ => None,
    })
}

/// Takes `source`. `linked` and `filed` are the types where the source doesn't tell.
fn source(fields: &mut Fields, linked: &str, filed: &str, depth: Depth) -> Result<Option<Source>> {
    let mut source = fields.take_object("source")?.ok_or_else(|| fields.missing("source"))?;
    let kind: String = source.require("type")?;
    let media = |mime: &str, source| Source::Media(Media { mime: mime.to_owned(), source, name: None, detail: None });
    let read = match kind.as_str() {
        "base64" => {
            let mime: String = source.require("media_type")?;
            media(&mime, MediaSource::Base64(source.require("data")?))
        }
        "url" => {
            let url: String = source.require("url")?;
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(source.wrong("url", "expected an http(s) URL"));
            }
            media(linked, MediaSource::Url(url))
        }
        "file" => media(filed, MediaSource::File(source.require("file_id")?)),
        "text" => {
            let mime = source.take("media_type")?.unwrap_or_else(|| "text/plain".to_owned());
            let data: String = source.require("data")?;
            media(&mime, MediaSource::Base64(STANDARD.encode(data)))
        }
        "content" if depth == Depth::Message => {
            let parts = content(&mut source, "content", Depth::Block)?.ok_or_else(|| source.missing("content"))?;
            Source::Parts(parts)
        }
        _ => return Ok(None),
    };
    Ok(rest(source).is_empty().then_some(read))
}
