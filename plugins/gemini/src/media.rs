//! Images, audio, video and documents: sent along, or as addresses that Google can read.

use mortise_sdk::chat::{Media, MediaSource};
use mortise_sdk::json::Object;
use mortise_sdk::provider::Error;

use crate::model;

/// Where files live that were uploaded to Google.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/";
/// Videos that any Gemini can watch.
const VIDEOS: [&str; 3] = ["https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/"];

/// One piece of media, as it will be written.
#[derive(Debug)]
pub(crate) enum Blob<'a> {
    Inline { mime: &'a str, data: &'a str },
    File { mime: Option<&'a str>, uri: String },
}

/// What a piece of media becomes for this model.
pub(crate) fn read<'a>(media: &'a Media, model: &str) -> Result<Blob<'a>, Error> {
    match &media.source {
        MediaSource::Base64(data) => Ok(Blob::Inline { mime: exact(media, data)?, data }),
        MediaSource::File(id) if id.starts_with("files/") => file(media, format!("{FILES}{id}")),
        MediaSource::File(id) if id.contains("://") => file(media, id.clone()),
        MediaSource::File(_) => Err(Error::unsupported(
            "a file must be one of Gemini's, named `files/…` or by its whole URI: upload it there, or send it in base64",
        )),
        MediaSource::Url(url) if is_google_s(url) || url.starts_with("https://") && model::fetches(model) => {
            file(media, url.clone())
        }
        MediaSource::Url(url) if url.starts_with("https://") => Err(Error::unsupported(
            "this model reads media only from Google's own files and YouTube: send it in base64, or use a newer model",
        )),
        MediaSource::Url(_) => {
            Err(Error::unsupported("Gemini fetches media only by https: send it in base64, or from an https address"))
        }
    }
}

/// The same in a tool's result, where the API takes only what is sent along, and only from Gemini 3 on.
pub(crate) fn read_result<'a>(media: &'a Media, model: &str) -> Result<Blob<'a>, Error> {
    if !model::is_third_generation(model) {
        return Err(Error::unsupported(
            "Gemini before 3 takes only text in tool results: send images and files in a user message",
        ));
    }
    match &media.source {
        MediaSource::Base64(data) => Ok(Blob::Inline { mime: exact(media, data)?, data }),
        _ => Err(Error::unsupported("Gemini takes media in tool results only as data: send it in base64")),
    }
}

impl Blob<'_> {
    pub(crate) fn write(&self, part: &mut Object<'_>) {
        match self {
            Self::Inline { mime, data } => {
                part.object("inlineData").put("mimeType", *mime).put("data", *data);
            }
            Self::File { mime, uri } => {
                part.object("fileData").put_some("mimeType", *mime).put("fileUri", uri);
            }
        }
    }
}

fn is_google_s(url: &str) -> bool {
    url.starts_with(FILES) || url.starts_with("gs://") || VIDEOS.iter().any(|video| url.starts_with(video))
}

fn file(media: &Media, uri: String) -> Result<Blob<'_>, Error> {
    // Where the caller told only the kind, the address or Google itself tells the type.
    let mime =
        if media.mime.ends_with('*') || media.mime.is_empty() { by_ending(&uri) } else { Some(media.mime.as_str()) };
    Ok(Blob::File { mime, uri })
}

fn by_ending(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next()?;
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1;
    let known = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("webp", "image/webp"),
        ("gif", "image/gif"),
        ("bmp", "image/bmp"),
        ("pdf", "application/pdf"),
    ];
    known.into_iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, mime)| mime)
}

/// The type of data, told by its first bytes where the caller didn't.
fn exact<'a>(media: &'a Media, data: &str) -> Result<&'a str, Error> {
    if !media.mime.ends_with('*') && !media.mime.is_empty() {
        return Ok(&media.mime);
    }
    let known = [
        ("iVBORw", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("JVBERi", "application/pdf"),
    ];
    known.into_iter().find(|(start, _)| data.starts_with(start)).map(|(_, mime)| mime).ok_or_else(|| {
        Error::invalid("the type of an image or a file is not known: name it, such as `image/png` or `application/pdf`")
    })
}
