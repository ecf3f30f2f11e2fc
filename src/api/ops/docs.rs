//! The API document, and the pages that show it: everything on them comes from this server.

use http::HeaderMap;
use http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::State;
use crate::http::{Fixed, Reply, Request};
use crate::model::{Error, Kind, Result};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

static SWAGGER_UI: Fixed = Fixed::file(include_bytes!("assets/docs.html"), HTML);
static REDOC: Fixed = Fixed::file(include_bytes!("assets/redoc.html"), HTML);

/// What the pages load, by the last segment of its path.
static FILES: [(&str, Fixed); 7] = [
    ("docs.js", Fixed::file(include_bytes!("assets/docs.js"), SCRIPT)),
    ("swagger-ui-bundle.js", Fixed::file(include_bytes!("assets/swagger-ui-bundle.js"), SCRIPT)),
    ("swagger-ui.css", Fixed::file(include_bytes!("assets/swagger-ui.css"), STYLE)),
    ("redoc.standalone.js", Fixed::file(include_bytes!("assets/redoc.standalone.js"), SCRIPT)),
    ("redoc.js", Fixed::file(include_bytes!("assets/redoc.js"), SCRIPT)),
    ("redoc.css", Fixed::file(include_bytes!("assets/redoc.css"), STYLE)),
    ("favicon-32x32.png", Fixed::file(include_bytes!("assets/favicon-32x32.png"), "image/png")),
];

/// Nothing from elsewhere, nothing inline, nothing sent elsewhere.
const SWAGGER_UI_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                                 connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The same, and style elements that are empty (the hash is that of nothing), which ReDoc's script fills rule by rule, and
/// the font that stands in its styles.
const REDOC_POLICY: &str = "default-src 'none'; script-src 'self'; \
                            style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; \
                            img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; \
                            form-action 'none'; frame-ancestors 'none'";

pub(super) async fn document(request: Request<State>) -> Result<Reply> {
    Ok(request.state.document.reply(&request.headers))
}

pub(super) async fn swagger_ui(request: Request<State>) -> Result<Reply> {
    Ok(page(&SWAGGER_UI, SWAGGER_UI_POLICY, &request.headers))
}

pub(super) async fn redoc(request: Request<State>) -> Result<Reply> {
    Ok(page(&REDOC, REDOC_POLICY, &request.headers))
}

pub(super) async fn file(request: Request<State>) -> Result<Reply> {
    let name = request.parameter("file");
    let Some((_, file)) = FILES.iter().find(|(known, _)| *known == name) else {
        return Err(Error::caller(Kind::NotFound, format!("Not found: the documentation has no file {name}")));
    };
    let mut reply = file.reply(&request.headers);
    reply.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(reply)
}

fn page(page: &Fixed, policy: &'static str, asked: &HeaderMap) -> Reply {
    let mut reply = page.reply(asked);
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        reply.headers.insert(name, HeaderValue::from_static(value));
    }
    reply
}
