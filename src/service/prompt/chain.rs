//! Prompts one after the other, each of which may speak of what came of the one before.

use super::{Outcome, Prompt, Prompts};
use crate::model::caller::Caller;
use crate::model::{Error, Kind};
use crate::service::Chat;

/// Where a step's prompt has this, it gets the output of the step before.
pub const PREVIOUS: &str = "{{previous}}";
/// What a step can't speak of: steps share no session.
pub const SESSION: &str = "{{session}}";

// === impl Prompts ===

impl Prompts {
    /// Asks one of `steps` after the other, and stops after one that fails, if that is wanted.
    pub async fn chain(&self, chat: &Chat, steps: Vec<Prompt>, stop_on_failure: bool, caller: &Caller) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(steps.len());
        for mut step in steps {
            if let Some(before) = outcomes.last() {
                let previous = before.output.as_deref().unwrap_or_default();
                match fill(&step.text, previous, self.longest) {
                    Some(text) => step.text = text,
                    None => {
                        let what = format!(
                            "with {PREVIOUS} put in, the prompt would be longer than {} bytes \
                             (server.max_request_body_bytes)",
                            self.longest
                        );
                        outcomes.push(Outcome::failed(&step, Error::caller(Kind::TooLarge, what)));
                        if stop_on_failure {
                            break;
                        }
                        continue;
                    }
                }
            }
            let outcome = self.ask(chat, &step, None, caller).await;
            let failed = !outcome.is_done();
            outcomes.push(outcome);
            if failed && stop_on_failure {
                break;
            }
        }
        outcomes
    }
}

/// `text` with `previous` in place of each [`PREVIOUS`]; nothing if that would be longer than `longest` bytes. What stands in
/// `previous` is taken as it is.
fn fill(text: &str, previous: &str, longest: usize) -> Option<String> {
    let places = text.matches(PREVIOUS).count();
    let length = (text.len() - places * PREVIOUS.len()).checked_add(places.checked_mul(previous.len())?)?;
    // One that is too long already is told so when it is asked.
    (places == 0 || length <= longest).then(|| text.replace(PREVIOUS, previous))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_place_is_filled_once() {
        assert_eq!(fill("{{previous}}, {{previous}}!", "a", 100).unwrap(), "a, a!");
        assert_eq!(fill("{{{previous}}}", "a", 100).unwrap(), "{a}");
        assert_eq!(fill("{{previous}}", "{{previous}} and {{session}}", 100).unwrap(), "{{previous}} and {{session}}");
        // What looks like it only once it is filled is no place.
        assert_eq!(fill("{{prev{{previous}}ious}}", "", 100).unwrap(), "{{previous}}");
        assert_eq!(
            fill("{{ previous }} {{PREVIOUS}} {previous}", "a", 100).unwrap(),
            "{{ previous }} {{PREVIOUS}} {previous}"
        );
    }

    #[test]
    fn a_little_text_can_not_become_a_lot() {
        let text = PREVIOUS.repeat(1000);
        assert_eq!(fill(&text, &"x".repeat(1000), 1_000_000).map(|text| text.len()), Some(1_000_000));
        assert_eq!(fill(&text, &"x".repeat(1001), 1_000_000), None);
        assert_eq!(fill("as it is", "x", 1).as_deref(), Some("as it is"));
    }

    proptest! {
        #[test]
        fn what_stands_around_stays(
            pieces in prop::collection::vec("[a-z{} \u{fc}\u{1f980}]{0,8}", 1..6),
            previous in ".{0,20}",
        ) {
            // Pieces between which a place could come about by chance are another test's.
            prop_assume!(pieces.iter().all(|piece| !piece.starts_with('}') && !piece.ends_with('{') && !piece.contains(PREVIOUS)));
            prop_assert_eq!(fill(&pieces.join(PREVIOUS), &previous, 10_000).unwrap(), pieces.join(&previous));
        }

        #[test]
        fn a_limit_is_kept(text in "(a|\\{\\{previous\\}\\}){0,20}", previous in "b{0,20}", longest in 0_usize..200) {
            let filled = fill(&text, &previous, longest);
            let places = text.matches(PREVIOUS).count();
            let length = text.len() - places * PREVIOUS.len() + places * previous.len();
            prop_assert_eq!(filled.is_some(), places == 0 || length <= longest);
            if let Some(filled) = filled {
                prop_assert_eq!(filled.len(), length);
            }
        }
    }
}
