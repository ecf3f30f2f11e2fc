//! Writing images, audio and files.

use crate::chat::{Media, MediaSource};
use crate::json::Array;
use crate::provider::Error;

pub(super) fn write(list: &mut Array<'_>, media: &Media) -> Result<(), Error> {
    match media.mime.split('/').next() {
        Some("image") => write_image(list, media),
        Some("audio") => write_audio(list, media),
        Some("video") => Err(Error::unsupported("this vendor takes no video")),
        _ => write_file(list, media),
    }
}

fn write_image(list: &mut Array<'_>, media: &Media) -> Result<(), Error> {
    let mut part = list.object();
    let mut image = part.put("type", "image_url").object("image_url");
    match &media.source {
        MediaSource::Url(url) => drop(image.put("url", url)),
        MediaSource::Base64(data) => {
            let mime = exact_type(media, data)?;
            image.put("url", ["data:", mime, ";base64,", data.as_str()].as_slice());
        }
        MediaSource::File(_) => {
            return Err(Error::unsupported("this vendor takes no images by file id: send the image itself or its URL"));
        }
    }
    image.put_some("detail", media.detail.as_deref());
    Ok(())
}

/// The type of a file; that of an image is told by its first bytes where the caller didn't.
pub(super) fn exact_type<'a>(media: &'a Media, data: &str) -> Result<&'a str, Error> {
    match media.mime.strip_suffix('*') {
        None => return Ok(&media.mime),
        Some("image/") => {}
        Some(_) => return Err(Error::invalid("the type of a file is not known: name it, such as `application/pdf`")),
    }
    let known = [("iVBORw", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp")];
    known
        .into_iter()
        .find(|(start, _)| data.starts_with(start))
        .map(|(_, mime)| mime)
        .ok_or_else(|| Error::invalid("the type of an image is not known: name it, such as `image/png`"))
}

fn write_audio(list: &mut Array<'_>, media: &Media) -> Result<(), Error> {
    let MediaSource::Base64(data) = &media.source else {
        return Err(Error::unsupported("this vendor takes audio only as data: send it in base64"));
    };
    let format = match media.mime.as_str() {
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/*" => {
            return Err(Error::invalid("the type of an audio part is not known: name it, such as `audio/wav`"));
        }
        other => other.trim_start_matches("audio/"),
    };
    let mut part = list.object();
    part.put("type", "input_audio").object("input_audio").put("data", data).put("format", format);
    Ok(())
}

fn write_file(list: &mut Array<'_>, media: &Media) -> Result<(), Error> {
    let mut part = list.object();
    let mut file = part.put("type", "file").object("file");
    file.put_some("filename", media.name.as_deref());
    match &media.source {
        MediaSource::Base64(data) => {
            let mime = exact_type(media, data)?;
            file.put("file_data", ["data:", mime, ";base64,", data.as_str()].as_slice());
        }
        MediaSource::File(id) => drop(file.put("file_id", id)),
        MediaSource::Url(_) => {
            return Err(Error::unsupported("this vendor takes no files by URL: send the file itself in base64"));
        }
    }
    Ok(())
}
