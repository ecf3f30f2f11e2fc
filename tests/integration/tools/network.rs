//! A guest that fetches whatever it is told to.

use serde_json::json;

use super::{call, denied, failure, output, server};
use crate::harness::Server;
use crate::upstream::{Answer, Upstream};

/// A server whose guest may reach `hosts`, with `more` in its grant.
async fn reaching(hosts: &[String], more: &str) -> Server {
    let hosts = hosts.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(", ");
    server(&["tool-fetch"], &format!("plugins: {{grants: {{tool-fetch: {{hosts: [{hosts}]{more}}}}}}}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_reached() {
    let upstream = Upstream::always(Answer::body(200, "text/plain", "hello")).await;
    let server = reaching(&[upstream.base_url()], "").await;
    let url = format!("{}/a?b=c", upstream.base_url());
    let asked =
        json!({"url": url, "method": "POST", "body": "words", "headers": {"x-own": "1", "authorization": "mine"}});
    let answer = output(&server, "fetch", asked).await;
    assert!(answer.starts_with("200 ") && answer.ends_with("hello"), "{answer}");
    let seen = upstream.request(0).await;
    assert_eq!(seen.header("x-own"), Some("1"));
    assert_eq!(seen.header("authorization"), Some("mine"), "a guest's own is no secret of the operator's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_not_reached_however_it_is_written() {
    let upstream = Upstream::always(Answer::body(200, "text/plain", "hello")).await;
    let port = upstream.address().port();
    let none = reaching(&[], "").await;
    let url = upstream.base_url();
    denied(&none, "tool-fetch", "fetch", json!({"url": url}), &["plugins.grants.tool-fetch.hosts"]).await;
    // Any host is granted, and still: what is inside stays inside.
    let all = reaching(&["http://*".into()], "").await;
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
    {
        let url = format!("http://{host}:{port}/");
        let asked = json!({ "url": url });
        denied(&all, "tool-fetch", "fetch", asked, &["plugins.grants.tool-fetch.networks", "loopback"]).await;
    }
    for host in ["169.254.169.254", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200"] {
        let asked = json!({"url": format!("http://{host}/latest/meta-data/")});
        denied(&all, "tool-fetch", "fetch", asked, &["plugins.grants.tool-fetch.networks"]).await;
    }
    assert_eq!(upstream.connections(), 0, "nothing was tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_means_an_inner_address_needs_its_network() {
    let upstream = Upstream::always(Answer::body(200, "text/plain", "hello")).await;
    let url = format!("http://localhost:{}", upstream.address().port());
    let server = reaching(std::slice::from_ref(&url), "").await;
    denied(&server, "tool-fetch", "fetch", json!({ "url": url }), &["networks"]).await;
    let server = reaching(std::slice::from_ref(&url), ", networks: [127.0.0.0/8, \"::1/128\"]").await;
    assert!(output(&server, "fetch", json!({ "url": url })).await.ends_with("hello"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_nowhere_else() {
    let aim = "http://169.254.169.254/latest/meta-data/";
    let upstream = Upstream::always(Answer::body(302, "text/plain", "").header("location", aim)).await;
    let server = reaching(&[upstream.base_url()], "").await;
    let asked = json!({"url": upstream.base_url()});
    denied(&server, "tool-fetch", "fetch", asked, &["169.254.169.254", "hosts"]).await;
    let wide = reaching(&[upstream.base_url(), "http://*".into()], "").await;
    let asked = json!({"url": upstream.base_url()});
    denied(&wide, "tool-fetch", "fetch", asked, &["link-local", "networks"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_the_connection_are_not_the_guests() {
    let upstream = Upstream::always(Answer::body(200, "text/plain", "hello")).await;
    let server = reaching(&[upstream.base_url()], "").await;
    for (name, value) in [
        ("transfer-encoding", "chunked"),
        ("host", "evil.example"),
        ("connection", "upgrade"),
        ("te", "trailers"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-good", "a\r\nx-evil: b"),
        ("bad name", "x"),
    ] {
        let asked = json!({"url": upstream.base_url(), "headers": {name: value}});
        let told = failure(&server, "fetch", asked, 422, "TOOL_EXECUTION_FAILED").await;
        assert!(told.contains("header"), "{name}: {told}");
    }
    let asked = json!({"url": upstream.base_url(), "headers": {"content-length": "5"}, "method": "POST", "body": "12345GET / HTTP/1.1"});
    let reply = call(&server, "fetch", asked).await;
    assert_ne!(reply.status(), 200, "{}", reply.text());
    for seen in upstream.requests() {
        assert!(!String::from_utf8_lossy(&seen.body).contains("HTTP/1.1"), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_never_the_guests() {
    let echoing = Answer::body(200, "text/plain", "you sent Bearer s3cr3t-0f-the-operator")
        .header("x-echo", "s3cr3t-0f-the-operator");
    let upstream = Upstream::always(echoing).await;
    let url = upstream.base_url();
    let server = super::Server::configured(|home| {
        std::fs::write(home.join("plugins/tool-fetch.wasm"), test_guests::get("tool-fetch")).unwrap();
        std::fs::write(home.join("key"), "s3cr3t-0f-the-operator").unwrap();
        let key = home.join("key");
        let bound = format!("{{host: \"{url}/private\", value: \"file:{}\"}}", key.display());
        format!(
            "providers: {{echo: {{}}}}\nplugins: {{grants: {{tool-fetch: {{hosts: [\"{url}\"], secrets: {{api: {bound}}}}}}}}}\n"
        )
    })
    .await;
    let answer = output(&server, "fetch", json!({"url": format!("{url}/private/x")})).await;
    assert!(answer.contains("you sent Bearer **********************") && !answer.contains("s3cr3t"), "{answer}");
    output(&server, "fetch", json!({"url": format!("{url}/public")})).await;
    assert_eq!(upstream.request(0).await.header("authorization"), Some("Bearer s3cr3t-0f-the-operator"));
    assert_eq!(upstream.request(1).await.header("authorization"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_bounded() {
    let upstream = Upstream::always(Answer::text("").endless("filler filler filler ")).await;
    let server = server(
        &["tool-fetch"],
        &format!(
            "plugins: {{limits: {{download: 1MiB, tool_cpu: 20s}}, grants: {{tool-fetch: {{hosts: [\"{}\"]}}}}}}",
            upstream.base_url()
        ),
    )
    .await;
    // The guest takes the end of what it gets for the end: the operator reads that it wasn't.
    call(&server, "fetch", json!({"url": upstream.base_url()})).await;
    let seen = super::plugin(&server, "tool-fetch").await;
    assert!(seen["last_denial"].as_str().unwrap().contains("plugins.limits.download"), "{seen}");
}
