//! `wasi:http`: every request goes through one hook, to [`crate::egress::tool`].

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, Result, WasiBody, WasiHttpHooks};

use crate::egress::tool::{Budget, Door, Patience, Refusal, is_ours};
use crate::plugin::wasm::tool::Denials;

/// What a guest's requests go through.
pub(in crate::plugin::wasm) struct Hooks {
    door: Option<Arc<Door>>,
    denials: Arc<Denials>,
    budget: Arc<Budget>,
    plugin: Arc<str>,
}

/// A response, and what goes on beside its body.
type Answer = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

// === impl Hooks ===

impl Hooks {
    pub(in crate::plugin::wasm) fn new(door: Option<Arc<Door>>, denials: Arc<Denials>, plugin: &Arc<str>) -> Self {
        // Nothing is sent before a call begins.
        Self { door, denials, budget: Arc::new(Budget::new(0, 0, 0)), plugin: plugin.clone() }
    }

    /// A call begins that may take so much.
    pub(in crate::plugin::wasm) fn begin(&mut self, budget: Budget) {
        self.budget = Arc::new(budget);
    }
}

impl WasiHttpHooks for Hooks {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| is_ours(name))
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer>> + Send> {
        let (door, denials, budget) = (self.door.clone(), self.denials.clone(), self.budget.clone());
        let plugin = self.plugin.clone();
        Box::new(async move {
            let Some(door) = door else {
                denials.deny("hosts", format!("plugin `{plugin}` has no way out here"));
                return Err(Error::HttpRequestDenied);
            };
            let options = options.unwrap_or_default();
            let patience = Patience {
                connect: options.connect_timeout.unwrap_or(Duration::MAX),
                head: options.first_byte_timeout.unwrap_or(Duration::MAX),
                idle: options.between_bytes_timeout.unwrap_or(Duration::MAX),
            };
            let told = denials.clone();
            let response = door.send(request, &budget, patience).await.map_err(|refusal| told_of(&denials, refusal))?;
            let response = response.map(|body| body.map_err(move |refusal| told_of(&told, refusal)).boxed_unsync());
            let nothing: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((response, nothing))
        })
    }
}

/// A refusal in the guest's words; the operator is told of it in ours.
fn told_of(denials: &Denials, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Host(cure) => {
            denials.deny("hosts", cure);
            Error::HttpRequestDenied
        }
        Refusal::Address(cure) => {
            denials.deny("networks", cure);
            Error::DestinationIpProhibited
        }
        Refusal::Malformed(what) => {
            denials.deny("hosts", what);
            Error::HttpRequestUriInvalid
        }
        Refusal::Limit(cure) => {
            denials.deny("limits", cure);
            Error::HttpResponseBodySize(None)
        }
        Refusal::Leak(cure) => {
            denials.deny("secrets", cure);
            Error::HttpResponseContentCoding(None)
        }
        Refusal::Late => Error::HttpResponseTimeout,
        Refusal::ConnectLate => Error::ConnectionTimeout,
        Refusal::Unreachable(why) => {
            tracing::debug!(plugin = denials.plugin(), why, "a tool's request came to nothing");
            Error::DestinationUnavailable
        }
        Refusal::Broken(why) => {
            tracing::debug!(plugin = denials.plugin(), why, "a tool's response broke off");
            Error::ConnectionTerminated
        }
    }
}
