//! The provider: Bedrock's addresses, and one exchange for each operation.

use mortise_sdk::chat::Request;
use mortise_sdk::http::{self, Frame, Framing};
use mortise_sdk::provider::{Credential, Error, Exchange, Info, Model, Out, Output, Provider, Scope, once};
use serde::Deserialize;

use crate::config::{Kind, Settings};

use crate::fit;
use crate::reader::Reader;
use crate::request;
use mortise_sdk::names::Names;

pub(crate) struct Bedrock;

struct Chat {
    /// Until it is sent.
    request: Option<http::Request>,
    streaming: bool,
    reader: Reader,
}

impl Provider for Bedrock {
    type Settings = Settings;

    fn describe(settings: Settings) -> Result<Info, Error> {
        let sign = Credential::Sigv4(Scope { service: "bedrock".into(), region: settings.region.clone() });
        let (credential, key_variable) = match settings.credential {
            Kind::Sigv4 => (sign, None),
            Kind::ApiKey => (Credential::Bearer, Some("AWS_BEARER_TOKEN_BEDROCK".to_owned())),
        };
        Ok(Info {
            base_url: Some(format!("https://bedrock-runtime.{}.amazonaws.com", settings.region)),
            credential,
            key_variable,
            vision: true,
            models: settings.models.iter().map(Model::new).collect(),
            ..Info::new("Amazon Bedrock")
        })
    }

    fn chat(request: Request, _: Settings) -> Result<Box<dyn Exchange>, Error> {
        let action = if request.streaming { "converse-stream" } else { "converse" };
        let mut post = http::Request::post(path(&request.model, action), request::body(&request)?);
        if request.streaming {
            post = post.framed(Framing::EventStream).header("accept", "application/vnd.amazon.eventstream");
        }
        let reader = Reader::new(Names::of(&request.tools, fit));
        Ok(Box::new(Chat { request: Some(post), streaming: request.streaming, reader }))
    }

    fn count_tokens(request: Request, _: Settings) -> Result<Box<dyn Exchange>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Counted {
            input_tokens: u64,
        }
        let post = http::Request::post(path(&request.model, "count-tokens"), request::count_body(&request)?);
        Ok(once(post, |frame, out| {
            out.emit(Output::Tokens(frame.json::<Counted>()?.input_tokens));
            Ok(())
        }))
    }
}

/// A model's id stands in the path, with its colon and, where it is the name of a resource, its slashes.
fn path(model: &str, action: &str) -> String {
    let mut path = String::from("/model/");
    for byte in model.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => path.push(char::from(byte)),
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path.push('/');
    path.push_str(action);
    path
}

impl Exchange for Chat {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        if let Some(request) = self.request.take() {
            out.send(request);
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        if self.streaming { self.reader.event(&frame, out) } else { self.reader.whole(&frame, out) }
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        self.reader.end(out)
    }

    fn broken(&mut self, reason: &str, out: &mut Out) -> Result<(), Error> {
        // All but the count has come.
        if self.reader.is_complete() {
            return self.reader.end(out);
        }
        Err(Error::upstream(format!("the vendor's answer broke off: {reason}")))
    }
}
