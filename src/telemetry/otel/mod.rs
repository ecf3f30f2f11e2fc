//! OpenTelemetry: traces and metrics for a collector, over OTLP; absent unless the operator wants it.
//!
//! Spans and instruments are made by hand where the work is done, and parents are handed on by value
//! ([`TraceContext`]): nothing is kept by thread, because a request's work may change threads.
//! What a caller or a model says never goes here.

mod client;
mod server;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::metrics::{Histogram, Meter, MeterProvider};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, Span};

use crate::model::trace::TraceContext;

pub use client::{ClientSpan, Operation, Result as OperationResult};
pub use server::{Answered, ServerSpan};

/// How long one delivery to the collector may take, second attempts included.
const DELIVERY: Duration = Duration::from_secs(5);
/// How long the end of the server waits for what isn't delivered yet.
const LAST_DELIVERY: Duration = Duration::from_secs(3);

/// What to export, and where to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The collector, without `/v1/traces`.
    pub endpoint: String,
    /// Headers for the collector; they hold secrets.
    pub headers: HashMap<String, String>,
    /// The name under which the server reports.
    pub service_name: String,
    /// The part of requests that are traced, if the caller doesn't decide.
    pub sample_ratio: f64,
    /// How often metrics are sent.
    pub interval: Duration,
}

/// See the module.
pub struct Otel {
    tracer: SdkTracer,
    traces: SdkTracerProvider,
    meters: SdkMeterProvider,
    request_duration: Histogram<f64>,
    operation_duration: Histogram<f64>,
    first_token: Histogram<f64>,
    token_usage: Histogram<u64>,
}

impl std::fmt::Debug for Otel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Otel").finish_non_exhaustive()
    }
}

// === impl Otel ===

impl Otel {
    /// Starts exporting through `transport`, on threads of its own.
    ///
    /// # Errors
    /// If the collector's address is none.
    pub fn start(settings: Settings, transport: Arc<dyn HttpClient>) -> Result<Self, String> {
        let base = settings.endpoint.trim_end_matches('/').to_owned();
        let wrong = |error: &dyn std::fmt::Display| format!("telemetry.otlp: {error}");
        let spans = SpanExporter::builder()
            .with_http()
            .with_shared_http_client(transport.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/traces"))
            .with_headers(settings.headers.clone())
            .with_timeout(DELIVERY)
            .build()
            .map_err(|error| wrong(&error))?;
        let metrics = MetricExporter::builder()
            .with_http()
            .with_shared_http_client(transport)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/metrics"))
            .with_headers(settings.headers)
            .with_timeout(DELIVERY)
            .build()
            .map_err(|error| wrong(&error))?;
        let resource = Resource::builder()
            .with_service_name(settings.service_name)
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let root = Sampler::TraceIdRatioBased(settings.sample_ratio);
        let traces = SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_resource(resource.clone())
            .build();
        let reader = PeriodicReader::builder(metrics).with_interval(settings.interval).build();
        let meters = SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build();
        let scope = InstrumentationScope::builder("mortise").with_version(env!("CARGO_PKG_VERSION")).build();
        let meter = meters.meter_with_scope(scope.clone());
        Ok(Self {
            tracer: traces.tracer_with_scope(scope),
            request_duration: seconds(
                &meter,
                "http.server.request.duration",
                "Duration of HTTP server requests.",
                &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
            ),
            operation_duration: seconds(
                &meter,
                "gen_ai.client.operation.duration",
                "GenAI operation duration.",
                &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
            ),
            first_token: seconds(
                &meter,
                "gen_ai.server.time_to_first_token",
                "Time to generate first token for successful responses.",
                &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
            ),
            token_usage: meter
                .u64_histogram("gen_ai.client.token.usage")
                .with_unit("{token}")
                .with_description("Number of input and output tokens used.")
                // Powers of four, as the conventions advise.
                .with_boundaries((0..14).map(|power| 4_f64.powi(power)).collect())
                .build(),
            traces,
            meters,
        })
    }

    /// Delivers what isn't delivered yet, within a few seconds. Blocks.
    pub fn finish(&self) {
        // What can't be delivered is lost; the transport has said so.
        let _ = self.traces.shutdown_with_timeout(LAST_DELIVERY);
        let _ = self.meters.shutdown_with_timeout(LAST_DELIVERY);
    }

    fn span(
        &self,
        name: String,
        kind: SpanKind,
        attributes: Vec<KeyValue>,
        parent: Option<SpanContext>,
    ) -> (Span, TraceContext) {
        let parent = parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
        let builder = self.tracer.span_builder(name).with_kind(kind).with_attributes(attributes);
        let span = self.tracer.build_with_context(builder, &parent);
        let context = told(span.span_context());
        (span, context)
    }
}

fn seconds(meter: &Meter, name: &'static str, words: &'static str, bounds: &[f64]) -> Histogram<f64> {
    let builder = meter.f64_histogram(name).with_unit("s").with_description(words);
    builder.with_boundaries(bounds.to_vec()).build()
}

fn told(span: &SpanContext) -> TraceContext {
    let state = span.trace_state().header();
    TraceContext {
        trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(span.span_id().to_bytes()),
        sampled: span.is_sampled(),
        state: (!state.is_empty()).then(|| state.into()),
    }
}

fn heard(context: &TraceContext, remote: bool) -> SpanContext {
    let flags = if context.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let state: Option<TraceState> = context.state.as_deref().and_then(|state| state.parse().ok());
    let (trace, span) = (TraceId::from(context.trace_id), SpanId::from(context.span_id));
    SpanContext::new(trace, span, flags, remote, state.unwrap_or_default())
}
