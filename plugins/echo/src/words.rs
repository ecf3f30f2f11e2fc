//! Counting: a token is a word.

use mortise_sdk::chat::{Part, Request, ResultPart};

/// The words of a text: runs of characters between blanks.
pub(crate) fn count(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// The words of everything that a request holds.
pub(crate) fn input(request: &Request) -> u64 {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let messages: u64 = parts.map(of_part).sum();
    let tools = request
        .tools
        .iter()
        .map(|tool| count(&tool.name) + tool.description.as_deref().map_or(0, count) + count(&tool.parameters));
    messages + tools.sum::<u64>()
}

fn of_part(part: &Part) -> u64 {
    match part {
        Part::Text(text) | Part::Refusal(text) | Part::Other(text) => count(text),
        Part::Thinking(thinking) => count(&thinking.text),
        Part::Call(call) => count(&call.name) + count(&call.arguments),
        Part::Media(_) => 1,
        Part::CachePoint(_) => 0,
        Part::Outcome(result) => {
            let words = result.parts.iter().map(|part| match part {
                ResultPart::Text(text) => count(text),
                ResultPart::Media(_) => 1,
            });
            words.sum()
        }
    }
}

/// The first words of a text, each with the blanks behind it; blanks at the beginning belong to the first one.
pub(crate) fn first(text: &str, words: u64) -> &str {
    let mut rest = text.trim_start();
    for _ in 0..words {
        rest = rest.trim_start_matches(|character: char| !character.is_whitespace()).trim_start();
        if rest.is_empty() {
            break;
        }
    }
    text.split_at(text.len() - rest.len()).0
}
