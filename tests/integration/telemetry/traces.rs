//! Traces and metrics as a collector receives them, and as vendors are told of them.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;
use serde_json::json;

use crate::client::Request;
use crate::harness::{KEY, Server, logged};
use crate::upstream::openai::{MODEL, completion, words};
use crate::upstream::{Answer, Seen, Upstream};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const TOKEN: &str = "collector-token-77";

/// What a collector was sent.
struct Collected {
    spans: Vec<Span>,
    metrics: Vec<(String, Data)>,
    requests: Vec<Seen>,
}

async fn collector() -> Upstream {
    let collector = Upstream::start().await;
    for path in ["/v1/traces", "/v1/metrics"] {
        collector.route(path, Answer::body(200, "application/x-protobuf", ""));
    }
    collector
}

/// A server in front of `upstream` that exports to `collector`.
async fn traced(upstream: &Upstream, collector: &Upstream, more: &str) -> Server {
    let home = tempfile::tempdir().unwrap();
    let token = home.keep().join("token");
    std::fs::write(&token, TOKEN).unwrap();
    let (endpoint, token) = (collector.address(), token.display());
    let otlp = format!("enabled: true, endpoint: \"http://{endpoint}\", headers: {{x-token: \"file:{token}\"}}{more}");
    Server::vendor(upstream, &format!("telemetry: {{otlp: {{{otlp}}}}}")).await
}

fn asks(stream: bool) -> Request {
    let messages = json!([{"role": "user", "content": "the prompt that nobody exports"}]);
    let body = json!({"model": "openai/gpt-4o-mini", "messages": messages, "stream": stream});
    Request::new("POST", "/v1/chat/completions?token=in-the-query")
        .json(&body)
        .header("Authorization", "Bearer callers-own-key")
}

fn parented(request: Request) -> Request {
    request.header("traceparent", &format!("00-{TRACE}-{PARENT}-01")).header("tracestate", "vendor=one,other=two")
}

/// Ends the server, which delivers what is left, and reads what came.
async fn collected(mut server: Server, collector: &Upstream) -> Collected {
    server.signal();
    server.ended().await;
    let mut found = Collected { spans: Vec::new(), metrics: Vec::new(), requests: collector.requests() };
    for seen in &found.requests {
        assert_eq!((seen.method.as_str(), seen.header("content-type")), ("POST", Some("application/x-protobuf")));
        assert_eq!(seen.header("x-token"), Some(TOKEN));
        let service = match seen.path.as_str() {
            "/v1/traces" => {
                let sent = ExportTraceServiceRequest::decode(&*seen.body).unwrap();
                let scopes = sent.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
                found.spans.extend(scopes.flat_map(|scope| scope.spans.clone()));
                sent.resource_spans[0].resource.clone()
            }
            _ => {
                let sent = ExportMetricsServiceRequest::decode(&*seen.body).unwrap();
                let scopes = sent.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
                let metrics = scopes.flat_map(|scope| scope.metrics.clone());
                found.metrics.extend(metrics.map(|metric| (metric.name, metric.data.unwrap())));
                sent.resource_metrics[0].resource.clone()
            }
        };
        assert_eq!(text(&service.unwrap().attributes, "service.name").as_deref(), Some("mortise"));
    }
    found
}

fn value<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a Value> {
    attributes.iter().find(|known| known.key == name)?.value.as_ref()?.value.as_ref()
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    match value(attributes, name)? {
        Value::StringValue(text) => Some(text.clone()),
        other => panic!("{name} is no text: {other:?}"),
    }
}

fn number(attributes: &[KeyValue], name: &str) -> Option<i64> {
    match value(attributes, name)? {
        Value::IntValue(number) => Some(*number),
        other => panic!("{name} is no number: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Collected {
    #[track_caller]
    fn one(&self, kind: SpanKind) -> &Span {
        let of_kind: Vec<&Span> = self.spans.iter().filter(|span| span.kind == kind as i32).collect();
        assert_eq!(of_kind.len(), 1, "{:?}", self.spans);
        of_kind[0]
    }

    /// The attributes and counts of a histogram's points.
    fn points(&self, name: &str) -> Vec<(Vec<KeyValue>, u64)> {
        let found = self.metrics.iter().filter(|(known, _)| known == name);
        let points = found.flat_map(|(_, data)| match data {
            Data::Histogram(histogram) => histogram.data_points.clone(),
            other => panic!("{name} is no histogram: {other:?}"),
        });
        points.map(|point| (point.attributes, point.count)).collect()
    }
}

#[tokio::test]
async fn a_request_is_a_tree_of_two_spans() {
    let (upstream, collector) =
        (Upstream::always(Answer::stream(&words(&["nobody", "exports"]))).await, collector().await);
    let server = traced(&upstream, &collector, "").await;
    server.client.send(&parented(asks(true))).await.events();
    let vendor = upstream.address();
    let found = collected(server, &collector).await;
    let (request, operation) = (found.one(SpanKind::Server), found.one(SpanKind::Client));

    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.into(), PARENT.into()));
    assert_eq!((&operation.trace_id, &operation.parent_span_id), (&request.trace_id, &request.span_id));
    assert_eq!(request.trace_state, "vendor=one,other=two");
    assert!(operation.start_time_unix_nano >= request.start_time_unix_nano);
    assert!(operation.end_time_unix_nano <= request.end_time_unix_nano);

    assert_eq!(request.name, "POST /v1/chat/completions");
    let told = &request.attributes;
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/chat/completions"),
        ("url.path", "/v1/chat/completions"),
        ("url.scheme", "http"),
    ] {
        assert_eq!(text(told, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(number(told, "http.response.status_code"), Some(200));
    assert_eq!(value(told, "error.type"), None);

    assert_eq!(operation.name, "chat gpt-4o-mini");
    let told = &operation.attributes;
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.system", "openai"),
        ("gen_ai.request.model", "gpt-4o-mini"),
        ("gen_ai.response.model", MODEL),
        ("gen_ai.response.id", "chatcmpl-Upstream1"),
        ("server.address", "127.0.0.1"),
    ] {
        assert_eq!(text(told, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(number(told, "server.port"), Some(vendor.port().into()));
    assert_eq!(number(told, "gen_ai.usage.input_tokens"), Some(9));
    assert_eq!(number(told, "gen_ai.usage.output_tokens"), Some(12));
    let Some(Value::ArrayValue(reasons)) = value(told, "gen_ai.response.finish_reasons") else { panic!("{told:?}") };
    assert_eq!(reasons.values[0].value, Some(Value::StringValue("stop".into())));

    // Nothing that was said, nothing that is secret, and no query.
    for seen in &found.requests {
        let sent = String::from_utf8_lossy(&seen.body).into_owned();
        for secret in ["prompt", "nobody", "exports", KEY, "callers-own-key", "in-the-query", TOKEN] {
            assert!(!sent.contains(secret), "{secret} was exported");
        }
    }
}

#[tokio::test]
async fn metrics_follow_the_conventions() {
    let (upstream, collector) =
        (Upstream::script([Answer::stream(&words(&["a"])), Answer::error(500, "x", "y")]).await, collector().await);
    let server = traced(&upstream, &collector, "").await;
    server.client.send(&asks(true)).await.events();
    assert_eq!(server.client.send(&asks(false)).await.status(), 502);
    let found = collected(server, &collector).await;
    let requests = found.points("http.server.request.duration");
    let statuses: Vec<_> = requests.iter().map(|(told, _)| number(told, "http.response.status_code")).collect();
    assert!(statuses.contains(&Some(200)) && statuses.contains(&Some(502)), "{statuses:?}");
    assert!(requests.iter().all(|(told, _)| text(told, "http.route").as_deref() == Some("/v1/chat/completions")));
    assert!(requests.iter().all(|(told, _)| value(told, "url.path").is_none()), "a raw path is no label");
    let operations = found.points("gen_ai.client.operation.duration");
    let errors: Vec<_> = operations.iter().map(|(told, _)| text(told, "error.type")).collect();
    assert!(errors.contains(&None) && errors.contains(&Some("upstream".into())), "{errors:?}");
    assert_eq!(found.points("gen_ai.server.time_to_first_token").len(), 1);
    let tokens = found.points("gen_ai.client.token.usage");
    let kinds: Vec<_> = tokens.iter().filter_map(|(told, _)| text(told, "gen_ai.token.type")).collect();
    assert_eq!((kinds.len(), tokens.len()), (2, 2), "{tokens:?}");
    let failed: Vec<&Span> = found
        .spans
        .iter()
        .filter(|span| span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32))
        .collect();
    assert_eq!(failed.len(), 2, "the operation and the request: {failed:?}");
}

#[tokio::test]
async fn vendors_are_told_only_where_the_operator_wants_it() {
    let (upstream, collector) = (Upstream::always(Answer::json(&completion("well"))).await, collector().await);
    let server = traced(&upstream, &collector, ", propagate: true").await;
    server.client.send(&parented(asks(false))).await.expect(200);
    let seen = upstream.request(0).await;
    let found = collected(server, &collector).await;
    let told = format!("00-{TRACE}-{}-01", hex(&found.one(SpanKind::Client).span_id));
    assert_eq!(seen.header("traceparent"), Some(told.as_str()));
    assert_eq!(seen.header("tracestate"), Some("vendor=one,other=two"));

    let server = traced(&upstream, &collector, "").await;
    server.client.send(&parented(asks(false))).await.expect(200);
    let silent = Server::vendor(&upstream, "telemetry: {otlp: {propagate: true}}").await;
    silent.client.send(&parented(asks(false))).await.expect(200);
    for number in [1, 2] {
        let seen = upstream.request(number).await;
        assert_eq!((seen.header("traceparent"), seen.header("tracestate")), (None, None));
    }
}

#[tokio::test]
async fn a_parent_that_is_none_begins_a_new_trace() {
    let (upstream, collector) = (Upstream::always(Answer::json(&completion("well"))).await, collector().await);
    let server = traced(&upstream, &collector, "").await;
    let bad = asks(false).header("traceparent", &format!("00-{TRACE}-0000000000000000-01"));
    let twice = parented(parented(asks(false)));
    for request in [bad, twice] {
        server.client.send(&request).await.expect(200);
    }
    let found = collected(server, &collector).await;
    let requests: Vec<&Span> = found.spans.iter().filter(|span| span.kind == SpanKind::Server as i32).collect();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|span| hex(&span.trace_id) != TRACE && span.parent_span_id.is_empty()), "{requests:?}");
}

#[tokio::test]
async fn a_caller_may_decide_what_is_sampled_and_the_log_names_the_trace() {
    let (upstream, collector) = (Upstream::always(Answer::json(&completion("well"))).await, collector().await);
    let server = traced(&upstream, &collector, ", sample_ratio: 0.0").await;
    server.client.send(&asks(false)).await.expect(200);
    server.client.send(&parented(asks(false))).await.expect(200);
    let wanted = format!("trace_id={TRACE}");
    crate::patience::until("the line in the log", async || server.log().contains(&wanted).then_some(())).await;
    let found = collected(server, &collector).await;
    assert_eq!(found.spans.len(), 2);
    assert!(found.spans.iter().all(|span| hex(&span.trace_id) == TRACE));
}

#[tokio::test]
async fn nobody_suffers_from_a_collector_that_is_down() {
    let upstream = Upstream::always(Answer::json(&completion("well"))).await;
    let gone = Upstream::start().await;
    let mut server = traced(&upstream, &gone, ", interval: 50ms").await;
    drop(gone);
    for _ in 0..10 {
        server.client.send(&asks(false)).await.expect(200);
    }
    let complaint = "takes nothing";
    crate::patience::until("the warning", async || logged().contains(complaint).then_some(())).await;
    server.client.send(&asks(false)).await.expect(200);
    server.signal();
    server.ended().await;
    let complaints = logged().lines().filter(|line| line.contains(complaint)).count();
    assert_eq!(complaints, 1, "{}", logged());
}
