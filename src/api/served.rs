//! Headers that say who served a request: the same on every surface.

use http::header::{HeaderName, HeaderValue};

use crate::http::{Endpoint, Reply};
use crate::service::Served;

/// Names and meanings.
const HEADERS: [(&str, &str); 5] = [
    ("X-Mortise-Provider", "The provider that answered."),
    ("X-Mortise-Model", "The provider's name for the model that answered."),
    ("X-Mortise-Attempts", "How many attempts it took, at all providers together."),
    ("X-Mortise-Cost", "What the answer cost in US dollars; absent where prices aren't known, and in streams."),
    ("X-Mortise-Estimated", "`true` where the vendor didn't count the tokens, so that the cost is an estimate."),
];

/// Dresses `reply`, which `served` gave.
pub(super) fn dress(mut reply: Reply, served: &Served) -> Reply {
    let mut put = |name: &'static str, value: &str| {
        // A model's name that can't stand in a header is left out.
        if let Ok(value) = HeaderValue::from_str(value) {
            reply.headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("x-mortise-provider", &served.provider);
    put("x-mortise-model", &served.model);
    put("x-mortise-attempts", &served.attempts.to_string());
    if let Some(cost) = served.cost {
        put("x-mortise-cost", &format!("{cost:.9}"));
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
