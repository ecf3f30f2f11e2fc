//! The tools, called as the host calls them; the web is played.

mod fetch;
mod html;
mod request;

use mortise_sdk::testing::tool::{Answer, Host};
use mortise_sdk::tool::Error;
use mortise_sdk::tool::fetch::Response;
use serde_json::Value;

use crate::toolbox::Web;

/// A host whose web answers everything alike.
fn web(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Host {
    let body = body.into();
    Host::new().web(move |request| {
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Ok(Response { url: request.url.clone(), status, headers, body: body.clone(), truncated: false })
    })
}

fn call(host: &Host, name: &str, arguments: Value) -> Result<Answer, Error> {
    host.call::<Web>(name, arguments)
}
