//! What holds for every endpoint of the table, so that a new one can't be forgotten.

use mortise::http::Access;

use super::refused;
use crate::client::{Client, Reply, Request};
use crate::harness::{ECHO, Server};

/// What anybody may ask, where keys are asked for.
const PUBLIC: [&str; 10] = [
    "/health",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/api/v1/openapi.json",
    "/docs/",
    "/redoc/",
];

/// What anybody may ask who isn't known yet; limited like the rest of its surface.
const UNKNOWN: [&str; 5] =
    ["/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/auth/register", "/api/auth/login"];

struct Row {
    method: String,
    path: String,
    surface: &'static str,
    public: bool,
}

/// Every endpoint, with a word for whatever its template leaves open.
fn rows() -> Vec<Row> {
    let rows: Vec<Row> = mortise::api::endpoints()
        .into_iter()
        .map(|endpoint| Row {
            method: endpoint.method.to_string(),
            path: filled(endpoint.path),
            surface: endpoint.surface.name,
            public: endpoint.access == Access::Anyone,
        })
        .collect();
    assert!(rows.len() > 10 && rows.iter().any(|row| row.path.contains("/x")), "the table is there");
    rows
}

fn filled(template: &str) -> String {
    let pieces =
        template.split('{').map(|piece| piece.split_once('}').map_or(piece.to_owned(), |(_, rest)| format!("x{rest}")));
    pieces.collect()
}

async fn ask(client: Client, method: &str, path: &str) -> Reply {
    let request = Request::new(method, path);
    client.send(&if method == "POST" { request.body("{}") } else { request }).await
}

/// Whether the endpoint belongs to what nobody limits.
fn is_ops(row: &Row) -> bool {
    row.surface == "ops" || PUBLIC.iter().any(|path| row.path.starts_with(path))
}

#[tokio::test]
async fn every_limited_route_shows_its_limit() {
    let surfaces = ["chat", "platform", "prompt", "agent", "openai", "anthropic", "mcp"];
    let limits: Vec<String> = surfaces.iter().map(|name| format!("{name}: {{requests: [100000/1d]}}")).collect();
    let limits = format!("{ECHO}server: {{rate_limit: {{surfaces: {{{}}}}}}}\n", limits.join(", "));
    let server = Server::start(&limits).await;
    for row in rows() {
        for method in [&*row.method, "HEAD", "OPTIONS", "PATCH"] {
            let reply = ask(server.client, method, &row.path).await;
            let shown =
                ["limit", "remaining", "reset"].map(|name| reply.head.header(&format!("x-ratelimit-{name}")).is_some());
            let expected = surfaces.contains(&row.surface) && !is_ops(&row);
            assert_eq!(shown, [expected; 3], "{method} {} of `{}`: {:?}", row.path, row.surface, reply.head);
        }
    }
}

#[tokio::test]
async fn every_route_that_isn_t_public_wants_a_key() {
    let server = Server::configured(|home| {
        std::fs::write(home.join("key"), super::ALICE).unwrap();
        format!("{ECHO}server: {{auth: {{api_key: 'file:{}/key'}}}}\n", home.display())
    })
    .await;
    let rows = rows();
    for row in &rows {
        let reply = ask(server.client, &row.method, &row.path).await;
        if row.public {
            let known = is_ops(row) || UNKNOWN.contains(&row.path.as_str());
            assert!(known, "{} {} may not be open to everybody", row.method, row.path);
            assert!(![401, 403].contains(&reply.status()), "{} {}: {}", row.method, row.path, reply.status());
        } else {
            assert!(!is_ops(row), "{} {} is documented as open", row.method, row.path);
            refused(&reply, &row.path, 401, "AUTHENTICATION_FAILED", "authentication_error");
            assert_eq!(reply.head.header("www-authenticate"), Some("Bearer"), "{} {}", row.method, row.path);
            let head = ask(server.client, "HEAD", &row.path).await;
            assert!([401, 200].contains(&head.status()), "HEAD {}: {}", row.path, head.status());
            let gets = rows.iter().any(|other| other.path == row.path && other.method == "GET");
            assert_eq!(head.status() == 401, gets, "HEAD {} shows what GET would", row.path);
        }
    }
}

#[tokio::test]
async fn head_and_options_are_answered_everywhere() {
    let server = Server::echo().await;
    let rows = rows();
    for row in &rows {
        let head = ask(server.client, "HEAD", &row.path).await;
        assert!(head.body.is_empty() && head.status() != 405 && head.status() < 500, "{}: {:?}", row.path, head.head);
        let options = ask(server.client, "OPTIONS", &row.path).await;
        assert_eq!((options.status(), options.body.len()), (204, 0), "{}", row.path);
        assert_eq!(options.head.header("content-length"), None, "a 204 has no length: {}", row.path);
        let allowed: Vec<&str> = options.head.header("allow").unwrap_or_default().split(", ").collect();
        let mut expected: Vec<&str> =
            rows.iter().filter(|other| other.path == row.path).map(|other| other.method.as_str()).collect();
        if expected.contains(&"GET") {
            expected.push("HEAD");
            let get = ask(server.client, "GET", &row.path).await;
            assert_eq!(head.status(), get.status(), "{}", row.path);
            assert_eq!(head.head.kind(), get.head.kind(), "{}", row.path);
        }
        expected.push("OPTIONS");
        assert_eq!(allowed, expected, "{}", row.path);
        let wrong = ask(server.client, "PATCH", &row.path).await;
        if !expected.contains(&"PATCH") {
            assert_eq!(wrong.head.header("allow"), options.head.header("allow"), "{}", row.path);
            assert_eq!(wrong.status(), 405, "{}", row.path);
        }
    }
}
