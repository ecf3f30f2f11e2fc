//! HTTP/2: by prior knowledge, as many streams as are allowed, and callers who only make work.

use std::sync::Arc;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::certificates::Authority;
use super::wire::{
    CONTINUATION, GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, closed, frame, get, head, http2, next_frame, post,
    text,
};
use super::{body, held};
use crate::client::Request;
use crate::harness::{ECHO, Server, vendors};
use crate::patience::{soon, until};
use crate::upstream::{Gate, Upstream};

/// Ends a stream, ends a head.
const WHOLE: u8 = 5;

async fn begun(server: &Server, settings: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.addresses[0]).await.unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()).await.unwrap();
    stream
}

#[tokio::test]
async fn it_is_spoken_without_tls_by_who_knows() {
    let server = Server::echo().await;
    let mut sender = http2(TcpStream::connect(server.addresses[0]).await.unwrap()).await;
    for _ in 0..2 {
        let response = sender.send_request(get("/health")).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));
        assert!(text(response).await.contains("\"healthy\""));
    }
}

#[tokio::test]
async fn only_so_many_streams_are_served_at_once() {
    let gate = Gate::new();
    let upstream = Upstream::always(held(&gate)).await;
    let server = Server::vendor(&upstream, "server: {max_concurrent_streams: 2}").await;
    let mut sender = http2(TcpStream::connect(server.addresses[0]).await.unwrap()).await;
    // Until it has heard from the server, this caller thinks that a hundred are allowed.
    assert_eq!(sender.send_request(get("/health")).await.unwrap().status(), 200);
    let ask = |mut sender: super::wire::Http2| async move {
        let response = sender.send_request(post("/v1/chat/completions", &body())).await.unwrap();
        text(response).await
    };
    let mut streams: Vec<_> = (0..5).map(|_| tokio::spawn(ask(sender.clone()))).collect();
    until("two of them", async || (upstream.requests().len() >= 2).then_some(())).await;
    gate.reached().await;
    assert_eq!(upstream.requests().len(), 2);
    gate.open();
    for stream in &mut streams {
        assert!(soon("each of them", stream).await.unwrap().ends_with("data: [DONE]\n\n"));
    }
    assert_eq!(upstream.requests().len(), 5);
}

/// More than a server takes over one connection.
const CROWD: usize = 120;

/// A server over HTTP/2 that takes no more than a hundred streams over a connection, and answers when `upstream` does.
async fn narrow(upstream: &Upstream, authority: &Authority) -> (Server, u16) {
    let server = Server::configured(|home| {
        let tls = format!("server: {{max_concurrent_streams: 100, ssl: {{{}}}}}", authority.issue().put(home));
        format!("{}\n{tls}", vendors(home, upstream))
    })
    .await;
    let port = server.addresses[0].port();
    (server, port)
}

/// Asks so often at once, which all has to come to `upstream` before there is an answer.
async fn all_at_once(server: &Server, request: Request, upstream: &Upstream, gate: &Gate) -> Vec<String> {
    let mut asked = JoinSet::new();
    for _ in 0..CROWD {
        let (client, request) = (server.client, request.clone());
        asked.spawn(async move { client.send(&request).await.text().to_owned() });
    }
    until("all of them at once", async || (upstream.requests().len() == CROWD).then_some(())).await;
    gate.open();
    soon("each of them", asked.join_all()).await
}

#[tokio::test]
async fn a_vendor_that_takes_few_streams_over_a_connection_gets_more_connections() {
    let (gate, authority) = (Gate::new(), Authority::new());
    let upstream = Upstream::always(held(&gate)).await;
    let (_vendor, port) = narrow(&upstream, &authority).await;
    let server = Server::configured(|home| {
        std::fs::write(home.join("ca.pem"), authority.pem()).unwrap();
        format!(
            "server: {{workers: 1}}\negress: {{ca_file: {}/ca.pem}}\nproviders:\n  vendor: {{plugin: openai, base_url: \
             \"https://localhost:{port}/v1\", default_model: openai/m}}\n",
            home.display()
        )
    })
    .await;
    let ask = json!({"model": "vendor/openai/m", "messages": [{"role": "user", "content": "x"}], "stream": true});
    let request = Request::new("POST", "/v1/chat/completions").json(&ask);
    for answer in all_at_once(&server, request, &upstream, &gate).await {
        assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");
    }
}

#[tokio::test]
async fn so_does_a_host_that_tools_ask() {
    let (gate, authority) = (Gate::new(), Authority::new());
    let upstream = Upstream::always(held(&gate)).await;
    let (_host, port) = narrow(&upstream, &authority).await;
    let server = Server::configured(|home| {
        std::fs::write(home.join("ca.pem"), authority.pem()).unwrap();
        std::fs::write(home.join("plugins/tool-fetch.wasm"), test_guests::get("tool-fetch")).unwrap();
        format!(
            "server: {{workers: 1}}\nproviders: {{echo: {{}}}}\negress: {{ca_file: {}/ca.pem}}\nplugins: {{grants: {{tool-fetch: \
             {{hosts: [\"https://localhost:{port}\"], networks: [127.0.0.0/8, \"::1/128\"]}}}}}}\n",
            home.display()
        )
    })
    .await;
    let ask = json!({"model": "openai/m", "messages": [{"role": "user", "content": "x"}], "stream": true}).to_string();
    let arguments = json!({
        "url": format!("https://localhost:{port}/v1/chat/completions"), "method": "POST", "body": ask,
        "headers": {"content-type": "application/json"},
    });
    let request = Request::new("POST", "/api/v1/tools/fetch/call").json(&json!({"arguments": arguments}));
    for answer in all_at_once(&server, request, &upstream, &gate).await {
        assert!(answer.contains("data: [DONE]"), "{answer}");
    }
}

#[tokio::test]
async fn who_ignores_the_number_of_streams_is_refused_the_rest() {
    let upstream = Upstream::always(held(&Gate::new())).await;
    let server = Server::vendor(&upstream, "server: {max_concurrent_streams: 1}").await;
    let mut stream = begun(&server, &[]).await;
    stream.write_all(&frame(SETTINGS, 1, 0, &[])).await.unwrap();
    let text = body().to_string();
    for id in [1, 3] {
        let head = [b"\x83\x86\x41\x01x".as_slice(), b"\x04\x14/v1/chat/completions"].concat();
        stream.write_all(&frame(HEADERS, 4, id, &head)).await.unwrap();
        stream.write_all(&frame(0, 1, id, text.as_bytes())).await.unwrap();
    }
    loop {
        let (kind, id, payload) = next_frame(&mut stream).await.expect("a refusal");
        if kind == RST_STREAM {
            assert_eq!((id, payload.as_slice()), (3, [0, 0, 0, 7].as_slice()), "REFUSED_STREAM");
            break;
        }
    }
}

#[tokio::test]
async fn heads_are_bounded() {
    let server = Server::start(&format!("{ECHO}server: {{max_header_bytes: 16KiB, max_headers: 50}}")).await;
    let mut sender = http2(TcpStream::connect(server.addresses[0]).await.unwrap()).await;
    let mut many = get("/health");
    for number in 0..51 {
        let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
        many.headers_mut().insert(name, http::HeaderValue::from_static("x"));
    }
    assert_eq!(sender.send_request(many).await.unwrap().status(), 431);
    let mut stream = begun(&server, &[]).await;
    // Names and values of 100 bytes, 200 times: 20 KB once unpacked.
    let pair = [b"\x00\x64".as_slice(), &[b'a'; 100], b"\x64", &[b'b'; 100]].concat();
    let block = [head("/health"), pair.repeat(200)].concat();
    let mut frames = Vec::new();
    let pieces: Vec<_> = block.chunks(16_000).collect();
    for (number, piece) in pieces.iter().enumerate() {
        let last = if number + 1 == pieces.len() { 4 } else { 0 };
        let (kind, flags) = if number == 0 { (HEADERS, 1 | last) } else { (CONTINUATION, last) };
        frames.extend(frame(kind, flags, 1, piece));
    }
    stream.write_all(&frames).await.unwrap();
    loop {
        let (kind, _, payload) = next_frame(&mut stream).await.expect("an answer");
        if kind == HEADERS {
            // The status 431 isn't in HPACK's table: it stands there as it is, or packed by Huffman's code.
            assert!(payload.windows(3).any(|three| three == b"431" || three == [0x69, 0x90, 0xff]), "{payload:x?}");
            break;
        }
    }
}

#[tokio::test]
async fn heads_without_an_end_are_cut() {
    let server = Server::echo().await;
    let mut stream = begun(&server, &[]).await;
    let mut flood = frame(HEADERS, 1, 1, &head("/health"));
    for _ in 0..1000 {
        flood.extend(frame(CONTINUATION, 0, 1, b"\x00\x01a\x01b"));
    }
    drop(stream.write_all(&flood).await);
    closed(&mut stream).await;
}

#[tokio::test]
async fn who_only_resets_is_let_go() {
    let server = Server::echo().await;
    let mut stream = begun(&server, &[]).await;
    let flood: Vec<u8> = (0..5000)
        .flat_map(|n| {
            let id = 2 * n + 1;
            [frame(HEADERS, WHOLE, id, &head("/health")), frame(RST_STREAM, 0, id, &[0, 0, 0, 8])].concat()
        })
        .collect();
    drop(stream.write_all(&flood).await);
    let mut refused = false;
    while let Some((kind, _, payload)) = next_frame(&mut stream).await {
        refused |= kind == GOAWAY && payload[4..8] == [0, 0, 0, 11];
    }
    assert!(refused, "ENHANCE_YOUR_CALM");
    assert_eq!(server.client.get("/health").await.status(), 200);
}

#[tokio::test]
async fn who_cancels_all_that_is_asked_is_let_go() {
    let upstream = Upstream::always(crate::upstream::Answer::silent()).await;
    let server = Server::vendor(&upstream, "").await;
    let sender = Arc::new(http2(TcpStream::connect(server.addresses[0]).await.unwrap()).await);
    until("the connection to be closed", async || {
        if sender.is_closed() {
            return Some(());
        }
        let before = upstream.requests().len();
        let mut sender = (*sender).clone();
        let asked = tokio::spawn(async move { sender.send_request(post("/v1/chat/completions", &body())).await });
        until("the vendor to be asked", async || {
            (upstream.requests().len() > before || asked.is_finished()).then_some(())
        })
        .await;
        asked.abort();
        None
    })
    .await;
    assert!(upstream.requests().len() > 50);
}

#[tokio::test]
async fn a_stream_that_is_given_no_window_is_reset_and_the_connection_goes_on() {
    let server = Server::start(&format!("{ECHO}server: {{write_timeout_secs: 1}}")).await;
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    let mut stream = begun(&server, &[0, 4, 0, 0, 0, 0]).await;
    stream.write_all(&frame(HEADERS, WHOLE, 1, &head("/health"))).await.unwrap();
    let mut asked = false;
    loop {
        let (kind, id, _) = next_frame(&mut stream).await.expect("the connection to go on");
        if (kind, id) == (RST_STREAM, 1) {
            stream.write_all(&frame(HEADERS, WHOLE, 3, &head("/nothing"))).await.unwrap();
            asked = true;
        }
        if (kind, id) == (HEADERS, 3) {
            assert!(asked);
            break;
        }
    }
}
