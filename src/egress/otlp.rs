//! The way to the operator's collector of traces and metrics.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tokio::time::Instant;

use super::Egress;
use super::connect::Resolver;
use crate::model::{Error, Result};

/// How long one request to the collector may take.
const WITHIN: Duration = Duration::from_secs(4);
/// How often it is said that the collector doesn't take what it is sent.
const COMPLAIN: Duration = Duration::from_secs(60);

/// A client of its own: exporters send from threads without a runtime.
#[derive(Debug)]
struct Transport {
    client: reqwest::blocking::Client,
    /// When it was last said that something is wrong.
    complained: Mutex<Option<Instant>>,
}

// === impl Egress ===

impl Egress {
    /// A client for exporters. The operator names the collector, so any address may be reached. Blocks for a moment.
    ///
    /// # Errors
    /// If no thread can be had for it.
    pub fn exporter(&self) -> Result<Arc<dyn HttpClient>> {
        let (tls, resolver) = (self.dialer.tls(), self.dialer.resolver());
        let build = move || {
            reqwest::blocking::Client::builder()
                .tls_backend_preconfigured(tls)
                .dns_resolver(Arc::new(resolver))
                .no_proxy()
                .redirect(Policy::none())
                .timeout(WITHIN)
                .build()
        };
        // It can't be made on a thread that has a runtime.
        let made = std::thread::spawn(build).join().map_err(|_| Error::internal("the exporter's client panicked"))?;
        let client =
            made.map_err(|error| Error::internal(format!("can't make a client for telemetry.otlp: {error}")))?;
        Ok(Arc::new(Transport { client, complained: Mutex::default() }))
    }
}

// === impl Transport ===

impl Transport {
    fn send(&self, request: Request<Bytes>) -> std::result::Result<Response<Bytes>, HttpError> {
        let outcome = self.client.execute(request.try_into()?).and_then(|response| {
            let (status, headers) = (response.status(), response.headers().clone());
            Ok((status, headers, response.bytes()?))
        });
        match outcome {
            Ok((status, headers, body)) => {
                if !status.is_success() {
                    self.complain(&format!("it answered {status}"));
                }
                let mut response = Response::new(body);
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                Ok(response)
            }
            Err(error) => {
                // The address may hold a secret.
                let error = error.without_url();
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                self.complain(&format!("{error}{cause}"));
                Err(error.into())
            }
        }
    }

    fn complain(&self, what: &str) {
        let now = Instant::now();
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|before| now.saturating_duration_since(before) >= COMPLAIN) {
            *complained = Some(now);
            tracing::warn!(
                "the collector at telemetry.otlp.endpoint takes nothing ({what}); traces and metrics are lost until it does"
            );
        }
    }
}

/// Written out: the trait is made for a macro.
impl HttpClient for Transport {
    fn send_bytes<'life, 'future>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'life: 'future,
        Self: 'future,
    {
        Box::pin(async move { self.send(request) })
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.look_up(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
