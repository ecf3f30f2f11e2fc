//! `server.rate_limit`: how often each caller may ask, by surface.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::units::entries;

/// `server.rate_limit`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimit {
    /// Whether there are limits at all.
    pub enabled: bool,
    /// In place of the chat surface's limit a minute.
    pub requests_per_minute: Option<NonZeroU64>,
    /// Callers that are remembered at once; who asks most is forgotten last.
    pub callers: usize,
    /// The limits of each surface.
    pub surfaces: Surfaces,
    /// Limits for accounts and keys that name them, in place of the surfaces', and for all surfaces together.
    #[serde(deserialize_with = "entries")]
    pub classes: BTreeMap<String, RateClass>,
}

/// One of `server.rate_limit.classes`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateClass {
    /// Requests.
    pub requests: Vec<Rate>,
    /// Tokens, of prompts and answers together.
    pub tokens: Vec<Rate>,
}

/// `server.rate_limit.surfaces`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the surfaces are those of the API")]
pub struct Surfaces {
    pub chat: SurfaceLimit,
    pub platform: SurfaceLimit,
    pub prompt: SurfaceLimit,
    pub agent: SurfaceLimit,
    pub openai: SurfaceLimit,
    pub anthropic: SurfaceLimit,
    pub mcp: SurfaceLimit,
}

/// Limits of a surface; all hold at once.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct SurfaceLimit {
    /// Who is counted.
    pub per: Per,
    /// Requests.
    pub requests: Vec<Rate>,
    /// Requests of who shows no key; the same as `requests` where left out.
    pub anonymous: Option<Vec<Rate>>,
    /// Tokens, of prompts and answers together.
    pub tokens: Vec<Rate>,
}

/// Who is counted.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// An address, whoever asks from there.
    Address,
    /// A key, and the address of who shows none.
    Caller,
}

/// So many in such a time: `60/1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub limit: u64,
    /// Within what.
    pub window: Duration,
}

/// A surface's limits as they are written: what is left out stays as it is by default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    per: Option<Per>,
    requests: Option<Vec<Rate>>,
    anonymous: Option<Vec<Rate>>,
    tokens: Option<Vec<Rate>>,
}

// === defaults ===

const fn rate(limit: u64, seconds: u64) -> Rate {
    Rate { limit, window: Duration::from_secs(seconds) }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            enabled: true,
            requests_per_minute: None,
            callers: 100_000,
            surfaces: Surfaces::default(),
            classes: BTreeMap::new(),
        }
    }
}

impl Default for Surfaces {
    fn default() -> Self {
        let off = SurfaceLimit { per: Per::Caller, requests: Vec::new(), anonymous: None, tokens: Vec::new() };
        let limited = |per, requests: &[Rate]| SurfaceLimit { per, requests: requests.to_vec(), ..off.clone() };
        Self {
            chat: limited(Per::Address, &[rate(60, MINUTE), rate(1000, DAY)]),
            platform: limited(Per::Caller, &[rate(60, MINUTE), rate(1000, HOUR)]),
            prompt: off.clone(),
            agent: SurfaceLimit {
                anonymous: Some(vec![rate(10, MINUTE)]),
                ..limited(Per::Caller, &[rate(100, MINUTE)])
            },
            openai: off.clone(),
            anthropic: off.clone(),
            mcp: off.clone(),
        }
    }
}

// === impl RateLimit ===

impl RateLimit {
    /// The limits of `surface`, if it has any.
    pub fn of(&self, surface: &str) -> Option<SurfaceLimit> {
        let all = &self.surfaces;
        let mut limit = match surface {
            "chat" => all.chat.clone(),
            "platform" => all.platform.clone(),
            "prompt" => all.prompt.clone(),
            "agent" => all.agent.clone(),
            "openai" => all.openai.clone(),
            "anthropic" => all.anthropic.clone(),
            "mcp" => all.mcp.clone(),
            _ => return None,
        };
        if let (true, "chat", Some(most)) = (self.enabled, surface, self.requests_per_minute) {
            limit.requests.retain(|rate| rate.window != Duration::from_secs(MINUTE));
            limit.requests.insert(0, rate(most.get(), MINUTE));
        }
        let none = limit.requests.is_empty() && limit.anonymous.is_none() && limit.tokens.is_empty();
        (self.enabled && !none).then_some(limit)
    }
}

// === impl Surfaces ===

impl<'de> Deserialize<'de> for Surfaces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Partial {
            chat: Option<Written>,
            platform: Option<Written>,
            prompt: Option<Written>,
            agent: Option<Written>,
            openai: Option<Written>,
            anthropic: Option<Written>,
            mcp: Option<Written>,
        }
        let Some(written) = Option::<Partial>::deserialize(deserializer)? else { return Ok(Self::default()) };
        let default = Self::default();
        Ok(Self {
            chat: default.chat.with(written.chat),
            platform: default.platform.with(written.platform),
            prompt: default.prompt.with(written.prompt),
            agent: default.agent.with(written.agent),
            openai: default.openai.with(written.openai),
            anthropic: default.anthropic.with(written.anthropic),
            mcp: default.mcp.with(written.mcp),
        })
    }
}

// === impl SurfaceLimit ===

impl SurfaceLimit {
    fn with(self, written: Option<Written>) -> Self {
        let Some(written) = written else { return self };
        Self {
            per: written.per.unwrap_or(self.per),
            // Who sets a limit for all doesn't want another one to stay for some.
            anonymous: if written.requests.is_some() {
                written.anonymous
            } else {
                written.anonymous.or(self.anonymous)
            },
            requests: written.requests.unwrap_or(self.requests),
            tokens: written.tokens.unwrap_or(self.tokens),
        }
    }
}

// === impl Rate ===

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.window.as_secs();
        let (count, unit) = match seconds {
            seconds if seconds % DAY == 0 => (seconds / DAY, "d"),
            seconds if seconds % HOUR == 0 => (seconds / HOUR, "h"),
            seconds if seconds % MINUTE == 0 => (seconds / MINUTE, "m"),
            seconds => (seconds, "s"),
        };
        write!(f, "{}/{count}{unit}", self.limit)
    }
}

impl std::str::FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no rate; write 60/1m, 1000/1h or 10000/1d");
        let (limit, window) = text.split_once('/').ok_or_else(wrong)?;
        // None at all is no limit: who wants nobody to ask turns the endpoint off.
        let limit = limit.trim().parse().ok().filter(|limit| *limit > 0).ok_or_else(wrong)?;
        let window = window.trim();
        let digits = window.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let count: u64 = if digits.is_empty() { 1 } else { digits.trim().parse().map_err(|_| wrong())? };
        let unit = match window.get(digits.len()..).unwrap_or_default() {
            "s" | "second" => 1,
            "m" | "minute" => MINUTE,
            "h" | "hour" => HOUR,
            "d" | "day" => DAY,
            _ => return Err(wrong()),
        };
        let seconds = count.checked_mul(unit).filter(|seconds| (1..=366 * DAY).contains(seconds)).ok_or_else(wrong)?;
        Ok(rate(limit, seconds))
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written() {
        for (text, limit, seconds) in
            [("60/1m", 60, 60), ("1000/day", 1000, DAY), ("5/30s", 5, 30), ("1 / 2h", 1, 2 * HOUR), ("7/90s", 7, 90)]
        {
            let read: Rate = text.parse().unwrap();
            assert_eq!((read.limit, read.window), (limit, Duration::from_secs(seconds)));
            assert_eq!(read.to_string().parse::<Rate>().unwrap(), read);
        }
        for text in ["", "60", "60/", "x/1m", "60/1y", "60/0s", "0/1m", "60/99999999999999999999d", "-1/1m"] {
            assert!(text.parse::<Rate>().unwrap_err().contains("60/1m"), "{text}");
        }
    }

    #[test]
    fn what_is_left_out_stays() {
        let all: Surfaces =
            serde_json::from_str(r#"{"chat": {"tokens": ["1000/1m"]}, "agent": {"requests": []}}"#).unwrap();
        assert_eq!(all.chat.requests, Surfaces::default().chat.requests);
        assert_eq!(all.chat.tokens, [rate(1000, MINUTE)]);
        assert_eq!(all.agent.anonymous, None);
        let limit = RateLimit { requests_per_minute: NonZeroU64::new(5), ..RateLimit::default() };
        assert_eq!(limit.of("chat").unwrap().requests, [rate(5, MINUTE), rate(1000, DAY)]);
        assert_eq!((limit.of("openai"), limit.of("ops")), (None, None));
    }
}
