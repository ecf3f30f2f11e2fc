//! `models`, `routing` and `cache`: which providers serve a name, what happens when one fails, which answers are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use super::units::{byte_size, duration};

/// One of `models`: a name for callers, and who serves it.
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct Route {
    /// In the order in which they are tried.
    pub targets: Vec<RouteTarget>,
    /// Whether answers are kept for those who ask the same again; absent: only for callers who want it.
    pub cache: Option<RouteCache>,
}

/// Who may serve a route.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RouteTarget {
    /// `provider/model`, or a provider's name for its default model.
    pub model: String,
    /// The share of requests that come here first, of all targets that have one. One without is tried after those.
    #[serde(default)]
    pub weight: Option<f64>,
    /// Tokens of the longest prompt that is sent here, by a rough count; the model's context window where left out.
    #[serde(default)]
    pub max_prompt: Option<u64>,
}

/// `models.NAME.cache`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct RouteCache {
    /// For how long, in place of `cache.ttl`.
    #[serde(with = "duration::option")]
    pub ttl: Option<Duration>,
    /// Whether callers get each other's answers.
    pub shared: bool,
    /// Whether equal requests at one time are asked once.
    pub join: bool,
}

/// `routing`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    /// Further attempts at a provider that failed.
    pub retries: u32,
    /// Attempts in all.
    pub attempts: u32,
    /// The longest first pause between two attempts at one provider; each further one is twice as long, and chance shortens it.
    #[serde(with = "duration")]
    pub backoff: Duration,
    /// The longest of these pauses.
    #[serde(with = "duration")]
    pub max_backoff: Duration,
    /// The longest pause that a vendor may ask for (`Retry-After`) and get.
    #[serde(with = "duration")]
    pub max_retry_after: Duration,
    /// When a provider is passed over for a while.
    pub breaker: Breaker,
}

/// `routing.breaker`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// Failures in a row; 0 passes nobody over.
    pub failures: u32,
    /// How long until one request tries again.
    #[serde(with = "duration")]
    pub pause: Duration,
}

/// `cache`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// Bytes of all answers that are kept; 0 keeps none.
    #[serde(with = "byte_size")]
    pub size: usize,
    /// For how long an answer is kept.
    #[serde(with = "duration")]
    pub ttl: Duration,
}

/// Says what is wrong with routes by themselves. Whether their providers are there, only who knows the plugins can say.
pub(super) fn check(models: &BTreeMap<String, Route>) -> Result<(), String> {
    for (name, route) in models {
        let recursive =
            route.targets.iter().find(|target| models.contains_key(&target.model) && !target.model.contains('/'));
        if let Some(target) = recursive {
            return Err(format!(
                "`models.{name}`: its target `{}` is a route itself, and routes don't follow each other; write provider/model",
                target.model
            ));
        }
    }
    Ok(())
}

// === impl Route, RouteTarget ===

impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a list of provider/model, or {targets: […], cache: {…}}")]
        enum Written {
            Targets(Vec<Target>),
            Whole(Whole),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            targets: Vec<Target>,
            #[serde(default)]
            cache: Option<RouteCache>,
        }
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected provider/model, or {model, weight, max_prompt}")]
        enum Target {
            Model(String),
            Whole(RouteTarget),
        }
        let (targets, cache) = match Written::deserialize(from)? {
            Written::Targets(targets) => (targets, None),
            Written::Whole(Whole { targets, cache }) => (targets, cache),
        };
        if targets.is_empty() {
            return Err(serde::de::Error::custom("a route needs at least one target"));
        }
        let target = |target| match target {
            Target::Model(model) => RouteTarget { model, ..RouteTarget::default() },
            Target::Whole(target) => target,
        };
        let targets: Vec<RouteTarget> = targets.into_iter().map(target).collect();
        if targets.iter().any(|target| target.weight.is_some_and(|weight| !(weight.is_finite() && weight > 0.0))) {
            return Err(serde::de::Error::custom("a weight must be a number above 0"));
        }
        Ok(Self { targets, cache })
    }
}

// === defaults ===

impl Default for Routing {
    fn default() -> Self {
        Self {
            retries: 2,
            attempts: 6,
            backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(10),
            breaker: Breaker::default(),
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 5, pause: Duration::from_secs(10) }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self { size: 64 << 20, ttl: Duration::from_secs(300) }
    }
}
