//! What a model's name says about what it takes.
//!
//! The vendor refuses what a model doesn't take, so most of that is left to it. Here stands what must be known to write a
//! request at all. A name that says nothing is taken for a new model of Anthropic's if it names the family, and for another
//! vendor's model behind the same API if it doesn't.

/// A model, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation<'a> {
    id: &'a str,
    /// Major and minor.
    version: Option<(u8, u8)>,
}

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinks {
    /// Not at all.
    Never,
    /// With a budget of tokens.
    Budgeted,
    /// As it sees fit or with a budget.
    Either,
    /// As it sees fit.
    Adaptively,
}

/// How a model is asked not to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Off {
    Disabled,
    /// It doesn't think ahead, but notes what it does between calls.
    BetweenTools,
    /// It always thinks.
    Never,
}

// === impl Generation ===

impl<'a> Generation<'a> {
    pub(crate) fn of(id: &'a str) -> Self {
        Self { id, version: version(id) }
    }

    pub(crate) fn thinks(self) -> Thinks {
        match self.version {
            Some((..3, _) | (3, ..7)) => Thinks::Never,
            Some((3, _) | (4, ..6)) => Thinks::Budgeted,
            Some((4, 6)) => Thinks::Either,
            Some(_) => Thinks::Adaptively,
            None if self.is_claude() => Thinks::Adaptively,
            None => Thinks::Budgeted,
        }
    }

    pub(crate) fn off(self) -> Off {
        let since = |version| self.version.is_some_and(|known| known >= version);
        match () {
            () if self.names("fable") || self.names("mythos") => Off::Never,
            () if self.names("opus") && since((5, 5)) => Off::Never,
            () if self.names("sonnet") && since((5, 5)) => Off::BetweenTools,
            () => Off::Disabled,
        }
    }

    /// Whether it leaves its thoughts out of the answer unless it is asked for them.
    pub(crate) fn thinks_silently(self) -> bool {
        self.is_claude() && self.version.is_none_or(|version| version >= (4, 7))
    }

    /// Whether it takes only the default temperature and the like.
    pub(crate) fn samples_its_own_way(self) -> bool {
        self.version.is_some_and(|version| version >= (4, 7))
    }

    /// Whether an answer can be held to a schema, and so can the arguments of a call.
    pub(crate) fn keeps_to_schemas(self) -> bool {
        self.version.is_none_or(|version| version >= (4, 5))
    }

    /// The most tokens of an answer.
    pub(crate) fn max_output(self) -> Option<u32> {
        match self.version? {
            (..3, _) | (3, ..5) => Some(4_096),
            (3, ..7) => Some(8_192),
            (4, 0 | 1) if self.names("opus") => Some(32_000),
            (3, _) | (4, ..6) => Some(64_000),
            _ => Some(128_000),
        }
    }

    fn is_claude(self) -> bool {
        self.names("claude")
    }

    fn names(self, word: &str) -> bool {
        words(self.id).any(|known| known.eq_ignore_ascii_case(word))
    }
}

/// The first number of a name and the one right behind it; longer numbers are dates. (`claude-3-7-sonnet-20250219`,
/// `claude-opus-4-5`)
fn version(id: &str) -> Option<(u8, u8)> {
    let mut rest = words(id).skip_while(|word| !word.eq_ignore_ascii_case("claude"));
    let number = |word: &str| (word.len() <= 2).then(|| word.parse::<u8>().ok()).flatten();
    let major = rest.find_map(number)?;
    Some((major, rest.next().and_then(number).unwrap_or(0)))
}

fn words(id: &str) -> impl Iterator<Item = &str> {
    id.split(|character: char| !character.is_ascii_alphanumeric())
}
