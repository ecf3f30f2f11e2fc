//! Writing images and documents.

use std::borrow::Cow;

use mortise_sdk::chat::{Media, MediaSource};
use mortise_sdk::json::Object;
use mortise_sdk::provider::Error;

/// How data of a type begins in base64.
const BEGINNINGS: [(&str, &str); 5] = [
    ("iVBORw", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi0", "application/pdf"),
];

/// What the vendor can look at.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// Writes a block without closing it. How closely to look is not for the caller to say here; it is a hint and is left out.
pub(crate) fn write(block: &mut Object<'_>, media: &Media) -> Result<(), Error> {
    let mime = kind(media);
    match mime.split('/').next() {
        Some("image") => {
            block.put("type", "image");
            write_image(&mut block.object("source"), media, mime)
        }
        Some(what @ ("audio" | "video")) => Err(Error::unsupported(format!("this vendor takes no {what}"))),
        _ => {
            block.put("type", "document");
            write_document(&mut block.object("source"), media, mime)?;
            block.put_some("title", media.name.as_deref());
            Ok(())
        }
    }
}

fn write_image(source: &mut Object<'_>, media: &Media, mime: &str) -> Result<(), Error> {
    match &media.source {
        MediaSource::Url(url) => drop(source.put("type", "url").put("url", url)),
        MediaSource::File(id) => drop(source.put("type", "file").put("file_id", id)),
        MediaSource::Base64(data) if IMAGES.contains(&mime) => {
            source.put("type", "base64").put("media_type", mime).put("data", data);
        }
        MediaSource::Base64(_) => {
            return Err(Error::unsupported(format!(
                "this vendor takes no images of type `{mime}`: send one of {}",
                IMAGES.join(", ")
            )));
        }
    }
    Ok(())
}

fn write_document(source: &mut Object<'_>, media: &Media, mime: &str) -> Result<(), Error> {
    match &media.source {
        MediaSource::Url(url) => drop(source.put("type", "url").put("url", url)),
        MediaSource::File(id) => drop(source.put("type", "file").put("file_id", id)),
        MediaSource::Base64(data) if mime == "application/pdf" => {
            source.put("type", "base64").put("media_type", mime).put("data", data);
        }
        MediaSource::Base64(data) if mime.starts_with("text/") => {
            let text = decode(data)
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| Error::invalid("a text file must be UTF-8 in base64"))?;
            source.put("type", "text").put("media_type", "text/plain").put("data", &text);
        }
        MediaSource::Base64(_) => {
            return Err(Error::unsupported(format!(
                "this vendor takes no files of type `{mime}`: send application/pdf or text"
            )));
        }
    }
    Ok(())
}

/// The type, told by the first bytes where the caller didn't.
fn kind(media: &Media) -> &str {
    let vague = media.mime.ends_with("/*") || media.mime.is_empty() || media.mime == "application/octet-stream";
    let told = match &media.source {
        MediaSource::Base64(data) if vague => BEGINNINGS.iter().find(|(start, _)| data.starts_with(start)),
        _ => None,
    };
    match told {
        Some((_, mime)) => mime,
        // A common wrong name.
        None if media.mime == "image/jpg" => "image/jpeg",
        None => media.mime.split(';').next().unwrap_or_default().trim(),
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let text: Cow<'_, str> = match text.contains(char::is_whitespace) {
        true => text.split_whitespace().collect::<String>().into(),
        false => text.into(),
    };
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes() {
        let six = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
