//! What there is to echo.

use mortise_sdk::chat::{Media, MediaSource, Message, Part, Request, ResultPart, Role};

/// The text that is echoed.
pub(crate) struct Prompt {
    pub(crate) text: String,
    /// Whether the directives in it count: those of a user do, those in tool results are only text.
    pub(crate) obeyed: bool,
}

/// The tool results at the end of the conversation, or the last user message.
pub(crate) fn of(request: &Request) -> Prompt {
    let speaks =
        |message: &&Message| message.role == Role::User && message.parts.iter().any(|part| mention(part).is_some());
    let ends_in_results = request.messages.last().is_some_and(|message| holds_results(message) && !speaks(&message));
    if ends_in_results {
        let first = request.messages.iter().rposition(|message| !holds_results(message)).map_or(0, |before| before + 1);
        let results = request.messages.iter().skip(first).flat_map(|message| &message.parts);
        return Prompt { text: join(results.filter_map(outcome)), obeyed: false };
    }
    let message = request.messages.iter().rfind(speaks);
    Prompt { text: join(message.iter().flat_map(|message| &message.parts).filter_map(mention)), obeyed: true }
}

fn holds_results(message: &Message) -> bool {
    message.parts.iter().any(|part| matches!(part, Part::Outcome(_)))
}

fn join(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join("\n")
}

fn mention(part: &Part) -> Option<String> {
    match part {
        Part::Text(text) => Some(text.clone()),
        Part::Media(media) => Some(describe(media)),
        Part::Other(json) => Some(format!("[a part of another kind, {} characters]", json.chars().count())),
        _ => None,
    }
}

fn outcome(part: &Part) -> Option<String> {
    let Part::Outcome(result) = part else { return None };
    let texts = result.parts.iter().map(|part| match part {
        ResultPart::Text(text) => text.clone(),
        ResultPart::Media(media) => describe(media),
    });
    let failed = result.failed.then(|| "[failed]".to_owned());
    Some(join(failed.into_iter().chain(texts)))
}

fn describe(media: &Media) -> String {
    let mime = &media.mime;
    match &media.source {
        MediaSource::Url(url) => format!("[{mime}, {url}]"),
        MediaSource::Base64(data) => format!("[{mime}, {} base64 characters]", data.len()),
        MediaSource::File(id) => format!("[{mime}, file {id}]"),
    }
}
