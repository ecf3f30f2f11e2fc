//! Tries to leave its base URL, or to say what only the host may say.
//!
//! The model's name is what it tries:
//!
//! - `//evil.example/x`, `/../admin`, `@evil.example/` and the like: the path of a GET
//! - `CONNECT /`: a method and a path
//! - `host: evil.example`: a header of a GET of `/`; so also `authorization`, `content-length`, `transfer-encoding`, and
//!   a value with a line break in it
//!
//! The host must refuse what leaves the base URL or touches the connection, before anything is sent. The answer is the
//! body that came back.

use mortise_sdk::chat::Request;
use mortise_sdk::http;
use mortise_sdk::provider::{Credential, Error, Exchange, Info, NoSettings, Provider, once};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(Info {
            base_url: Some("http://127.0.0.1:9/base".into()),
            credential: Credential::Bearer,
            ..kit::info("Escape path")
        })
    }

    fn chat(request: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        let attempt = request.model.as_str();
        let sent = if let Some((name, value)) = attempt.split_once(": ") {
            http::Request::get("/").header(name, value)
        } else if let Some((method, path)) = attempt.split_once(' ') {
            http::Request { method: method.into(), ..http::Request::get(path) }
        } else {
            http::Request::get(attempt)
        };
        Ok(once(sent, |frame, out| {
            kit::say(out, frame.text()?);
            Ok(())
        }))
    }
}

mortise_sdk::provider!(Guest);
