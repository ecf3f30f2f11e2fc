//! What of a conversation the model is shown again, when all of it would be too long.
//!
//! Old tool output goes first, then old answers with all that came of them. A call and its result stay or go together, what the
//! user asked for at the beginning stays, and so does the newest round; where even that is too long, its longest output is cut.
//! What is left out is said.

use crate::model::chat::{Message, Part, ResultPart, Role};

/// Bytes of a token, roughly.
const BYTES: u64 = 4;
/// Tokens of an image or a document, roughly.
const MEDIA: u64 = 1000;
/// What is left of an old tool's output.
const STUB: usize = 160;
/// Rounds that stay as they are.
const FRESH: usize = 2;

/// Makes `messages` shorter if they may have more than `most` tokens, to half of that, so that what a provider caches of a
/// prompt holds for a while. Tells whether anything was left out.
pub(super) fn fit(messages: &mut Vec<Message>, most: u64) -> bool {
    if tokens(messages) <= most {
        return false;
    }
    let aim = most / 2;
    // Each answer begins a round.
    let answers: Vec<usize> = places(messages);
    let fresh = answers.get(answers.len().saturating_sub(FRESH)).copied().unwrap_or(messages.len());
    let mut left = tokens(messages);
    for message in messages.iter_mut().take(fresh) {
        if left <= aim {
            return true;
        }
        let before = weight(message);
        message.parts.iter_mut().for_each(elide);
        left = left.saturating_sub(before.saturating_sub(weight(message)));
    }
    if left <= aim {
        return true;
    }
    drop_rounds(messages, aim);
    shorten(messages, most);
    true
}

/// Cuts long output until all of it has at most `most` tokens, or there is nothing left that is long.
fn shorten(messages: &mut [Message], most: u64) {
    let within = |cap| messages.iter().map(|message| weight_within(message, cap)).sum::<u64>();
    let mut cap = usize::MAX;
    while within(cap) > most && cap > 2 * STUB {
        let longest = messages.iter().flat_map(outputs).map(String::len).max().unwrap_or_default();
        cap = (cap.min(longest) / 2).max(2 * STUB);
    }
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        let Part::Outcome(outcome) = part else { continue };
        for part in &mut outcome.parts {
            if let ResultPart::Text(text) = part
                && text.len() > cap
            {
                let length = text.len();
                let note =
                    format!(" [… the rest of {length} bytes is more than the model can read; ask for less at once]");
                text.truncate(text.floor_char_boundary(cap.saturating_sub(note.len())));
                text.push_str(&note);
            }
        }
    }
}

/// What tools said in words.
fn outputs(message: &Message) -> impl Iterator<Item = &String> {
    let outcomes =
        message.parts.iter().filter_map(|part| if let Part::Outcome(outcome) = part { Some(outcome) } else { None });
    outcomes
        .flat_map(|outcome| &outcome.parts)
        .filter_map(|part| if let ResultPart::Text(text) = part { Some(text) } else { None })
}

/// Leaves out whole rounds, the oldest first.
fn drop_rounds(messages: &mut Vec<Message>, aim: u64) {
    let answers = places(messages);
    let (Some(&first), Some(&last)) = (answers.first(), answers.last()) else { return };
    let mut total = tokens(messages);
    let mut end = first;
    for &next in answers.iter().skip(1).filter(|next| **next <= last) {
        if total <= aim {
            break;
        }
        total = total.saturating_sub(messages.iter().take(next).skip(end).map(weight).sum());
        end = next;
    }
    if end > first {
        // What people said in between stays.
        let said: Vec<Message> = messages.drain(first..end).filter(|message| message.role == Role::User).collect();
        let note = "[Earlier steps of this task are left out here, with what the tools said. What still matters can be looked up again.]";
        let kept =
            std::iter::once(Message::text(Role::User, note)).chain(said.into_iter().filter(|said| !is_note(said)));
        messages.splice(first..first, kept);
    }
}

fn is_note(message: &Message) -> bool {
    matches!(message.parts.as_slice(), [Part::Text(text)] if text.starts_with("[Earlier steps of this task"))
}

fn places(messages: &[Message]) -> Vec<usize> {
    let answers = messages.iter().enumerate().filter(|(_, message)| message.role == Role::Assistant);
    answers.map(|(place, _)| place).collect()
}

/// An old tool's output, or nothing else.
fn elide(part: &mut Part) {
    let Part::Outcome(outcome) = part else { return };
    for part in &mut outcome.parts {
        match part {
            ResultPart::Text(text) if text.len() > 2 * STUB => {
                let (length, cut) = (text.len(), text.floor_char_boundary(STUB));
                text.truncate(cut);
                text.push_str(&format!(
                    " [… the rest of {length} bytes is left out; call the tool again if you need it]"
                ));
            }
            ResultPart::Text(_) => {}
            ResultPart::Media(media) => *part = ResultPart::Text(format!("[{} is left out]", media.mime)),
        }
    }
}

/// Tokens of `messages`, roughly.
pub(super) fn tokens(messages: &[Message]) -> u64 {
    messages.iter().map(weight).sum()
}

fn weight(message: &Message) -> u64 {
    weight_within(message, usize::MAX)
}

/// The same, if no tool had said more than `cap` bytes at once.
fn weight_within(message: &Message, cap: usize) -> u64 {
    let text = |text: &str| (text.len() as u64).div_ceil(BYTES);
    let part = |part: &Part| match part {
        Part::Text(words) | Part::Refusal(words) | Part::Other(words) => text(words),
        Part::Thinking(thinking) => text(&thinking.text),
        Part::Call(call) => text(&call.name) + text(&call.arguments),
        Part::Media(_) => MEDIA,
        Part::Outcome(outcome) => {
            let part = |part: &ResultPart| match part {
                ResultPart::Text(words) => (words.len().min(cap) as u64).div_ceil(BYTES),
                ResultPart::Media(_) => MEDIA,
            };
            outcome.parts.iter().map(part).sum()
        }
        Part::CachePoint(_) => 0,
    };
    message.parts.iter().map(part).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::model::chat::{ToolCall, ToolResult};

    /// Tokens of what says that something was left out, at most.
    const NOTE: u64 = 50;

    /// A conversation of rounds: so many calls each, whose outputs are so long; between them a person may speak.
    fn conversation(rounds: &[(Vec<usize>, bool)]) -> Vec<Message> {
        let mut messages = vec![Message::text(Role::System, "be good"), Message::text(Role::User, "the task")];
        for (round, (outputs, speaks)) in rounds.iter().enumerate() {
            let id = |call: usize| format!("{round}-{call}");
            let call = |call| {
                Part::Call(ToolCall { id: id(call), name: "t".into(), arguments: "{}".into(), extra: Vec::new() })
            };
            let message = |role, parts| Message { role, name: None, parts, extra: Vec::new() };
            messages.push(message(Role::Assistant, (0..outputs.len()).map(call).collect()));
            for (call, length) in outputs.iter().enumerate() {
                let parts = vec![ResultPart::Text("é".repeat(*length / 2))];
                let result = ToolResult { call_id: id(call), parts, failed: false };
                messages.push(message(Role::Tool, vec![Part::Outcome(result)]));
            }
            if *speaks {
                messages.push(Message::text(Role::User, format!("remark {round}")));
            }
        }
        messages
    }

    fn ids(messages: &[Message]) -> (Vec<String>, Vec<String>) {
        let (mut calls, mut results) = (Vec::new(), Vec::new());
        for part in messages.iter().flat_map(|message| &message.parts) {
            match part {
                Part::Call(call) => calls.push(call.id.clone()),
                Part::Outcome(outcome) => results.push(outcome.call_id.clone()),
                _ => {}
            }
        }
        (calls, results)
    }

    fn remarks(messages: &[Message]) -> HashSet<String> {
        let texts = messages.iter().filter(|message| message.role == Role::User && !is_note(message));
        texts.map(|message| format!("{:?}", message.parts)).collect()
    }

    proptest! {
        #[test]
        fn calls_keep_their_results_and_people_their_words(
            rounds in prop::collection::vec((prop::collection::vec(0_usize..4000, 0..4), any::<bool>()), 0..12),
            most in 1_u64..4000,
            again: bool,
        ) {
            let whole = conversation(&rounds);
            let mut shown = whole.clone();
            let shorter = fit(&mut shown, most);
            if again {
                fit(&mut shown, most / 2);
            }
            let (calls, results) = ids(&shown);
            prop_assert_eq!(&calls, &results, "in the order of the conversation");
            prop_assert_eq!(&shown[..2], &whole[..2]);
            prop_assert_eq!(remarks(&shown), remarks(&whole));
            prop_assert_eq!(shorter, tokens(&whole) > most);
            if !shorter && !again {
                prop_assert_eq!(&shown, &whole);
            }
            if let (Some(newest), false) = (places(&whole).last(), again) {
                let tail = &whole[*newest..];
                if tokens(&whole[..2]) + tokens(tail) + NOTE <= most {
                    prop_assert_eq!(&shown[shown.len() - tail.len()..], tail, "the newest round is whole");
                }
            }
        }

        #[test]
        fn what_is_left_fits_where_it_can(
            rounds in prop::collection::vec((prop::collection::vec(0_usize..400_000, 1..4), Just(false)), 1..12),
            most in 400_u64..20_000,
        ) {
            let mut shown = conversation(&rounds);
            fit(&mut shown, most);
            prop_assert!(tokens(&shown) <= most, "{} of {}", tokens(&shown), most);
        }
    }
}
