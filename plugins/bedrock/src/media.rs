//! Writing images and documents.

use mortise_sdk::chat::{Media, MediaSource};
use mortise_sdk::json::{Array, Object};
use mortise_sdk::provider::Error;

/// Documents by their types.
const DOCUMENTS: [(&str, &str); 9] = [
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
];

/// Writes one block; `number` tells documents of one conversation apart.
pub(crate) fn write(list: &mut Array<'_>, media: &Media, number: &mut usize) -> Result<(), Error> {
    let mut block = list.object();
    match media.mime.split_once('/') {
        Some(("image", kind)) => {
            let format = match kind {
                "png" | "jpeg" | "gif" | "webp" => kind,
                "jpg" => "jpeg",
                "*" => told_by_bytes(media)?,
                _ => return Err(Error::unsupported("this vendor takes images as png, jpeg, gif and webp")),
            };
            let mut image = block.object("image");
            image.put("format", format);
            source(&mut image, media, "images")
        }
        Some(("video" | "audio", _)) => Err(Error::unsupported("this vendor takes neither audio nor video")),
        _ => {
            let format = DOCUMENTS.iter().find(|(mime, _)| *mime == media.mime).map(|(_, format)| *format);
            let format = format.ok_or_else(|| {
                Error::unsupported(format!("this vendor takes no documents of the type `{}`", media.mime))
            })?;
            *number += 1;
            let mut document = block.object("document");
            document.put("format", format).put("name", name(media, *number).as_str());
            source(&mut document, media, "documents")
        }
    }
}

fn source(object: &mut Object<'_>, media: &Media, what: &str) -> Result<(), Error> {
    let mut source = object.object("source");
    match &media.source {
        MediaSource::Base64(data) => drop(source.put("bytes", data)),
        MediaSource::Url(url) if url.starts_with("s3://") => drop(source.object("s3Location").put("uri", url)),
        MediaSource::Url(_) => {
            return Err(Error::unsupported(format!("this vendor takes no {what} by URL: send them in base64")));
        }
        MediaSource::File(_) => {
            return Err(Error::unsupported(format!("this vendor keeps no {what}: send them in base64")));
        }
    }
    Ok(())
}

/// The type of an image whose type the caller didn't tell.
fn told_by_bytes(media: &Media) -> Result<&'static str, Error> {
    let MediaSource::Base64(data) = &media.source else { return Ok("png") };
    let known = [("iVBORw", "png"), ("/9j/", "jpeg"), ("R0lGOD", "gif"), ("UklGR", "webp")];
    let found = known.into_iter().find(|(start, _)| data.starts_with(start));
    found
        .map(|(_, format)| format)
        .ok_or_else(|| Error::invalid("the type of an image is not known: name it, such as `image/png`"))
}

/// A name as the vendor takes it, and no other document's.
fn name(media: &Media, number: usize) -> String {
    let given = media.name.as_deref().unwrap_or("document");
    let fits = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']') { c } else { ' ' };
    let words: String = given.chars().take(150).map(fits).collect();
    let words: Vec<&str> = words.split_whitespace().collect();
    format!("{} {number}", words.join(" ")).trim_start().to_owned()
}
