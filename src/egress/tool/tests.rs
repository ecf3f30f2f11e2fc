//! Tests of a tool's way out, over real sockets and with names of a test's own.

use std::net::IpAddr;
use std::sync::Mutex;

use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::connect::Names;
use super::*;
use crate::config;

/// Answers each look-up with the next list, the last one for ever.
struct Turncoat {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Mutex<u32>,
}

impl Turncoat {
    fn saying(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|list| list.iter().map(|text| text.parse().unwrap()).collect()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::new(0) })
    }
}

impl Names for Turncoat {
    fn look_up<'a>(
        &'a self,
        _: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = std::result::Result<Vec<IpAddr>, BoxError>> + Send + 'a>> {
        *self.asked.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { Ok(answer) })
    }
}

/// A server that answers every request with `answer`, and tells what it was sent.
async fn server(answer: &str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (answer, log) = (answer.to_owned(), seen.clone());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, log) = (answer.clone(), log.clone());
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 << 10];
                let length = stream.read(&mut buffer).await.unwrap_or_default();
                log.lock().unwrap().push(String::from_utf8_lossy(&buffer[..length]).into_owned());
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (port, seen)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";

fn dialer() -> Dialer {
    Dialer::new(std::collections::HashSet::new(), None).unwrap()
}

fn reach(hosts: &[&str]) -> Reach {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    Reach { asked: vec!["http://*".into(), "https://*".into()], allowed: hosts, ..Reach::default() }
}

fn door_with(names: Option<Arc<Turncoat>>, reach: &Reach) -> Door {
    let dialer = match names {
        Some(names) => dialer().naming(names),
        None => dialer(),
    };
    Door::new(&dialer, "t", reach, config::Egress::default().timeouts).unwrap()
}

const PATIENCE: Patience = Patience { connect: Duration::MAX, head: Duration::MAX, idle: Duration::MAX };

async fn ask(door: &Door, request: http::request::Builder) -> Result<Response<ToolBody>, Refusal> {
    let budget = Arc::new(Budget::new(8, 1 << 20, 1 << 20));
    door.send(request.body(Full::new(Bytes::new())).unwrap(), &budget, PATIENCE).await
}

async fn get(door: &Door, url: &str) -> Result<String, Refusal> {
    let response = ask(door, Request::builder().uri(url)).await?;
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_name_that_turns_inward_is_refused_and_the_cure_named() {
    let names = Turncoat::saying(&[&["10.1.2.3"], &["169.254.169.254"], &["::ffff:127.0.0.1"]]);
    let door = door_with(Some(names), &reach(&["http://good.example"]));
    for address in ["10.1.2.3", "169.254.169.254", "::ffff:127.0.0.1"] {
        let Err(Refusal::Address(cure)) = get(&door, "http://good.example/").await else { panic!("{address}") };
        assert!(cure.contains(address) && cure.contains("plugins.grants.t.networks"), "{cure}");
    }
}

#[tokio::test]
async fn the_connection_goes_where_the_check_went() {
    let (port, seen) = server(OK).await;
    // The second look-up would lead astray: there must be none.
    let names = Turncoat::saying(&[&["127.0.0.1"], &["192.0.2.1"]]);
    let mut reach = reach(&[&format!("http://good.example:{port}")]);
    reach.networks.push("127.0.0.0/8".parse().unwrap());
    let door = door_with(Some(names.clone()), &reach);
    assert_eq!(get(&door, &format!("http://good.example:{port}/a")).await.unwrap(), "hi");
    assert_eq!((*names.asked.lock().unwrap(), seen.lock().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn odd_notations_are_what_they_mean() {
    let door = door_with(None, &reach(&["http://*", "https://*"]));
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "0xa9fea9fe",
        "[fd00:ec2::254]",
        "0",
        "[::]",
        "100.100.100.200",
    ] {
        let outcome = get(&door, &format!("http://{host}/latest/meta-data/")).await;
        assert!(matches!(outcome, Err(Refusal::Address(_))), "{host}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_address_that_the_operator_wrote_is_meant() {
    let (port, _) = server(OK).await;
    let reach = reach(&[&format!("http://127.0.0.1:{port}")]);
    let door = door_with(None, &reach);
    for host in ["127.0.0.1", "2130706433"] {
        assert_eq!(get(&door, &format!("http://{host}:{port}/")).await.unwrap(), "hi");
    }
    assert!(matches!(get(&door, &format!("http://[::1]:{port}/")).await, Err(Refusal::Host(_))));
}

#[tokio::test]
async fn scheme_host_port_and_path_are_granted_together() {
    let door = door_with(None, &reach(&["https://*.example.com/v1"]));
    let refused = |url: &'static str| {
        let door = &door;
        async move {
            let Err(Refusal::Host(cure)) = get(door, url).await else { panic!("{url}") };
            assert!(cure.contains("plugins.grants.t.hosts"), "{cure}");
        }
    };
    for url in [
        "http://api.example.com/v1",
        "https://api.example.com:8443/v1",
        "https://api.example.com/v2",
        "https://api.example.com/v10",
        "https://example.com/v1",
        "https://a.b.example.com/v1",
        "https://api.example.com.evil.test/v1",
        "https://api.example.com/v1/../admin",
    ] {
        refused(url).await;
    }
    for url in ["https://api.example.com/v1/..%2fadmin", "https://api.example.com/v1/%2e%2e%2fx"] {
        let outcome = get(&door, url).await;
        assert!(matches!(outcome, Err(Refusal::Malformed(_) | Refusal::Host(_))), "{url}: {outcome:?}");
    }
    let narrow = Reach { asked: vec!["https://other.example".into()], ..reach(&["https://*"]) };
    let Err(Refusal::Host(why)) = get(&door_with(None, &narrow), "https://api.example.com/").await else { panic!() };
    assert!(why.contains("manifest"), "{why}");
}

fn secret(host: &str, place: Credential) -> Secret {
    Secret { name: "api".into(), host: host.into(), place, value: "s3cr3t-value".into() }
}

#[tokio::test]
async fn a_credential_goes_where_it_is_bound_and_nowhere_else() {
    let (port, seen) = server(OK).await;
    let base = format!("http://127.0.0.1:{port}");
    let mut reach = reach(&[&base]);
    reach.secrets = vec![
        secret(&format!("{base}/private"), Credential::Bearer),
        secret(&format!("{base}/query"), Credential::Query("key".into())),
    ];
    let door = door_with(None, &reach);
    ask(&door, Request::builder().uri(format!("{base}/private/x")).header("authorization", "guess")).await.unwrap();
    ask(&door, Request::builder().uri(format!("{base}/query?a=1"))).await.unwrap();
    ask(&door, Request::builder().uri(format!("{base}/public"))).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen[0].contains("authorization: Bearer s3cr3t-value") && !seen[0].contains("guess"), "{}", seen[0]);
    assert!(seen[1].starts_with("GET /query?a=1&key=s3cr3t-value HTTP/1.1"), "{}", seen[1]);
    assert!(!seen[2].contains("s3cr3t"), "{}", seen[2]);
    let open = Reach { secrets: vec![secret("https://*", Credential::Bearer)], ..Reach::default() };
    assert!(Door::new(&dialer(), "t", &open, config::Egress::default().timeouts).is_err());
}

#[tokio::test]
async fn a_credential_that_comes_back_is_blotted_out() {
    let answer = "HTTP/1.1 200 OK\r\nx-echo: Bearer s3cr3t-value\r\ncontent-length: 18\r\nconnection: close\r\n\r\nyou: s3cr3t-value!";
    let (port, _) = server(answer).await;
    let base = format!("http://127.0.0.1:{port}");
    let mut reach = reach(&[&base]);
    reach.secrets = vec![secret(&base, Credential::Bearer)];
    let door = door_with(None, &reach);
    let response = ask(&door, Request::builder().uri(&base)).await.unwrap();
    assert_eq!(response.headers()["x-echo"], "Bearer ************");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "you: ************!");
    let zipped = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
    let (port, _) = server(zipped).await;
    let base = format!("http://127.0.0.1:{port}");
    reach.allowed.push(base.clone());
    assert!(matches!(get(&door_with(None, &reach), &base).await, Err(Refusal::Leak(_))));
}

#[tokio::test]
async fn a_redirect_is_handed_over_and_its_target_is_judged_anew() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (port, seen) = server(answer).await;
    let reach = reach(&[&format!("http://127.0.0.1:{port}"), "http://*"]);
    let door = door_with(None, &reach);
    let response = ask(&door, Request::builder().uri(format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!(response.status(), 302);
    let next = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(matches!(get(&door, &next).await, Err(Refusal::Address(_))));
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn headers_of_the_connection_are_the_hosts() {
    let door = door_with(None, &reach(&["http://*"]));
    for name in ["transfer-encoding", "connection", "te", "upgrade", "expect", "proxy-authorization", "x-forwarded-for"]
    {
        let outcome = ask(&door, Request::builder().uri("http://good.example/").header(name, "x")).await;
        assert!(matches!(outcome, Err(Refusal::Malformed(_))), "{name}");
    }
    for method in ["CONNECT", "TRACE"] {
        let request = Request::builder().method(method).uri("http://good.example/");
        assert!(matches!(ask(&door, request).await, Err(Refusal::Malformed(_))), "{method}");
    }
}

#[tokio::test]
async fn what_one_call_takes_is_bounded() {
    let (port, _) = server("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n0123456789").await;
    let base = format!("http://127.0.0.1:{port}");
    let reach = reach(&[&base]);
    let door = door_with(None, &reach);
    let budget = Arc::new(Budget::new(2, 15, 4));
    let send = async |body: &'static str| {
        let request = Request::builder().method("POST").uri(&base).body(Full::new(Bytes::from(body))).unwrap();
        door.send(request, &budget, PATIENCE).await?.into_body().collect().await
    };
    assert!(send("1234").await.is_ok());
    assert!(matches!(send("").await, Err(Refusal::Limit(why)) if why.contains("download")));
    assert!(matches!(send("").await, Err(Refusal::Limit(why)) if why.contains("requests")));
    let budget = Arc::new(Budget::new(2, 15, 4));
    let request = Request::builder().method("POST").uri(&base).body(Full::new(Bytes::from("12345"))).unwrap();
    let outcome = door.send(request, &budget, PATIENCE).await;
    assert!(matches!(outcome, Err(Refusal::Limit(why)) if why.contains("call_bytes")));
}
