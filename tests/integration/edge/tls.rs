//! TLS: versions, protocols, certificates of both sides, and new ones while connections go on.

use mortise::app::App;
use mortise::config::Config;
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;

use super::certificates::{Authority, Identity, connect, shown};
use super::wire::{GET, closed, exchange, get, http2, post, text};
use super::{body, held};
use crate::harness::{ECHO, KEY, Server, logged};
use crate::patience::{soon, until};
use crate::upstream::{Gate, Upstream};

async fn secure(identity: &Identity, more: &str) -> Server {
    Server::configured(|home| format!("{ECHO}server: {{ssl: {{{}{more}}}}}", identity.put(home))).await
}

#[tokio::test]
async fn both_versions_speak_both_protocols() {
    let authority = Authority::new();
    let server = secure(&authority.issue(), "").await;
    for version in [&TLS12, &TLS13] {
        let mut stream = connect(server.addresses[0], &authority.caller(&[version], &["http/1.1"])).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        let answer = exchange(&mut stream, GET).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        // The server's choice, whatever the caller names first.
        for offered in [&["h2"][..], &["http/1.1", "h2"]] {
            let stream = connect(server.addresses[0], &authority.caller(&[version], offered)).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
            let response = http2(stream).await.send_request(get("/health")).await.unwrap();
            assert_eq!(response.status(), 200);
        }
        // Who doesn't say may speak either.
        let stream = connect(server.addresses[0], &authority.caller(&[version], &[])).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), None);
        assert_eq!(http2(stream).await.send_request(get("/health")).await.unwrap().status(), 200);
        assert!(connect(server.addresses[0], &authority.caller(&[version], &["spdy/3"])).await.is_err());
    }
}

#[tokio::test]
async fn an_older_version_can_be_refused() {
    let authority = Authority::new();
    let server = secure(&authority.issue(), ", min_version: '1.3'").await;
    assert!(connect(server.addresses[0], &authority.caller(&[&TLS12], &[])).await.is_err());
    assert!(connect(server.addresses[0], &authority.caller(&[&TLS13], &[])).await.is_ok());
}

#[tokio::test]
async fn sessions_are_resumed() {
    let authority = Authority::new();
    let server = secure(&authority.issue(), "").await;
    for version in [&TLS12, &TLS13] {
        let caller = authority.caller(&[version], &["http/1.1"]);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut stream = connect(server.addresses[0], &caller).await.unwrap();
            exchange(&mut stream, GET).await;
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_taken_while_streams_go_on() {
    let (authority, gate) = (Authority::new(), Gate::new());
    let upstream = Upstream::always(held(&gate)).await;
    let (old, new) = (authority.issue(), authority.issue());
    let server = Server::configured(|home| {
        std::fs::write(home.join("key"), KEY).unwrap();
        let (url, key) = (upstream.base_url(), home.join("key"));
        let providers = format!("providers: {{openai: {{base_url: '{url}', api_key: 'file:{}'}}}}", key.display());
        format!("{providers}\nserver: {{ssl: {{{}}}}}", old.put(home))
    })
    .await;
    let caller = authority.caller(rustls::ALL_VERSIONS, &["h2"]);
    let connection = connect(server.addresses[0], &caller).await.unwrap();
    assert_eq!(shown(&connection), old.der());
    let mut sender = http2(connection).await;
    let response = sender.send_request(post("/v1/chat/completions", &body())).await.unwrap();
    gate.reached().await;
    // One that can't be used changes nothing.
    std::fs::write(server.home().join("cert.pem"), "nonsense").unwrap();
    until("the nonsense to be refused", async || logged().contains("can't be used").then_some(())).await;
    assert_eq!(shown(&connect(server.addresses[0], &caller).await.unwrap()), old.der());
    new.put(server.home());
    until("the new certificate", async || {
        (shown(&connect(server.addresses[0], &caller).await.unwrap()) == new.der()).then_some(())
    })
    .await;
    gate.open();
    let stream = text(response).await;
    assert!(stream.contains("two") && stream.ends_with("data: [DONE]\n\n"), "{stream}");
    // And the old connection can still be asked.
    assert_eq!(sender.send_request(get("/health")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn callers_certificates_are_asked_for_as_configured() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (known, unknown) = (authority.issue(), stranger.issue());
    for (mode, with_none, with_unknown) in [("required", false, false), ("optional", true, false), ("none", true, true)]
    {
        let identity = authority.issue();
        let server = Server::configured(|home| {
            let ca = home.join("ca.pem");
            std::fs::write(&ca, authority.pem()).unwrap();
            let files = identity.put(home);
            format!("{ECHO}server: {{ssl: {{{files}, client_ca: {}, client_auth: {mode}}}}}", ca.display())
        })
        .await;
        for (caller, welcome) in [
            (authority.caller_as(&known), true),
            (authority.caller(rustls::ALL_VERSIONS, &["http/1.1"]), with_none),
            (authority.caller_as(&unknown), with_unknown),
        ] {
            // A caller of version 1.3 learns only after its handshake that it isn't welcome.
            let answer = match connect(server.addresses[0], &caller).await {
                Ok(mut stream) => exchange(&mut stream, GET).await,
                Err(_) => String::new(),
            };
            assert_eq!(answer.starts_with("HTTP/1.1 200"), welcome, "{mode}: {answer}");
        }
    }
}

#[tokio::test]
async fn who_never_shakes_hands_is_let_go() {
    let server = Server::configured(|home| {
        format!("{ECHO}server: {{handshake_timeout_secs: 1, ssl: {{{}}}}}", Authority::new().issue().put(home))
    })
    .await;
    let mut silent = TcpStream::connect(server.addresses[0]).await.unwrap();
    closed(&mut silent).await;
    let mut plain = TcpStream::connect(server.addresses[0]).await.unwrap();
    let answer = exchange(&mut plain, GET).await;
    assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn files_that_cant_be_used_are_named() {
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (Authority::new().issue(), Authority::new().issue());
    let good = first.put(home.path());
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (cert, key) = (file("c.pem", &first.cert), file("k.pem", &first.key));
    let (other, empty) = (file("other.pem", &second.key), file("empty.pem", ""));
    let enabled = |cert: &str, key: &str| format!("enabled: true, cert: '{cert}', key: '{key}'");
    for (ssl, told) in [
        ("enabled: true".to_owned(), vec!["server.ssl.cert is not set"]),
        (enabled("/nowhere/c.pem", &key), vec!["server.ssl.cert", "/nowhere/c.pem", "No such file"]),
        (enabled(&empty, &key), vec!["server.ssl.cert", &empty, "no certificate"]),
        (enabled(&cert, &empty), vec!["server.ssl.key", &empty, "no private key"]),
        (enabled(&cert, &other), vec!["server.ssl.key", &other, "is not the key of", &cert]),
        (format!("{good}, client_auth: required"), vec!["server.ssl.client_ca is not set"]),
    ] {
        let mut config = Config::from_yaml(&format!("server: {{ssl: {{{ssl}}}}}")).unwrap();
        config.server.port = 0;
        let error = Box::pin(soon("an error", App::build(config))).await.err().expect("an error");
        let text = error.private().unwrap_or(error.public()).to_owned();
        assert!(told.iter().all(|words| text.contains(words)), "{told:?}: {text}");
    }
}
