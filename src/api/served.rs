//! Headers that say who served a request, and what a caller wants of the cache: the same on every surface.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use percent_encoding::{CONTROLS, utf8_percent_encode};

use crate::http::{Endpoint, Reply};
use crate::model::{Error, Result};
use crate::service::cache::Mode;
use crate::service::{Served, Wish};

/// Names and meanings.
const HEADERS: [(&str, &str); 6] = [
    ("X-Mortise-Provider", "The provider that answered."),
    ("X-Mortise-Model", "The provider's name for the model that answered."),
    ("X-Mortise-Attempts", "How many attempts it took, at all providers together; refusals after one tell it too."),
    ("X-Mortise-Cost", "What the answer cost in US dollars; absent where prices aren't known, and in streams."),
    ("X-Mortise-Estimated", "`true` where the vendor didn't count the tokens, so that the cost is an estimate."),
    (
        "X-Mortise-Cache",
        "`hit` or `miss` where the answer was looked for among those that are kept: the route keeps them, or the request has `X-Mortise-Cache: use`, `refresh` or `bypass`, with `, join` for equal requests at one time.",
    ),
];

/// Bytes of the longest name that is told.
const LONGEST: usize = 256;

/// What `X-Mortise-Cache` asks for.
///
/// # Errors
/// If it is no wish.
pub(super) fn wish(headers: &HeaderMap) -> Result<Wish> {
    let mut wish = Wish::default();
    let Some(value) = headers.get("x-mortise-cache") else { return Ok(wish) };
    for word in String::from_utf8_lossy(value.as_bytes()).split(',').map(str::trim) {
        match word {
            "use" => wish.mode = Mode::Use,
            "refresh" => wish.mode = Mode::Refresh,
            "bypass" => wish.mode = Mode::Bypass,
            "join" => wish.join = true,
            _ => {
                let what = "the header X-Mortise-Cache can say use, refresh or bypass, and join";
                return Err(Error::invalid("X-Mortise-Cache", what));
            }
        }
    }
    Ok(wish)
}

/// Dresses `reply`, which `served` gave.
pub(super) fn dress(mut reply: Reply, served: &Served) -> Reply {
    let mut put = |name: &'static str, value: &str| {
        // A caller may name any model: what can't stand in a header is encoded, and nothing is longer than a name.
        let value = value.get(..value.floor_char_boundary(LONGEST)).unwrap_or_default();
        if let Ok(value) = HeaderValue::try_from(utf8_percent_encode(value, CONTROLS).to_string()) {
            reply.headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("x-mortise-provider", &served.provider);
    put("x-mortise-model", &served.model);
    put("x-mortise-attempts", &served.attempts.to_string());
    if let Some(cost) = served.cost {
        put("x-mortise-cost", &format!("{cost:.9}"));
    }
    if let Some(cached) = served.cached {
        put("x-mortise-cache", if cached { "hit" } else { "miss" });
    }
    if served.estimated {
        put("x-mortise-estimated", "true");
    }
    reply
}

/// Tells of these headers in the API document.
pub(super) fn documented<S>(endpoint: Endpoint<S>) -> Endpoint<S> {
    HEADERS.iter().fold(endpoint, |endpoint, (name, meaning)| endpoint.with_header(name, meaning))
}
