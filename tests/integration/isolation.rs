//! Nobody sees, changes or learns of what is another's: every endpoint of the table, asked by everybody.
//!
//! What each may ask follows from the table of access below, and from nothing else. An endpoint that is added is walked like
//! the others; one that names something in its path fails the test until [`make`] knows whose that is.

use mortise::http::Access;
use serde_json::{Value, json};

use crate::client::{Client, Reply, Request};
use crate::harness::{ECHO, Server};
use crate::patience::until;
use crate::people::{Person, administered_with};

/// What the owner's things hold, and nobody else may read.
const MARK: &str = "the-owner-alone-knows-this";

const STATIC: &str = "static-0123456789abcdef0123456789abcdef";

/// Who asks, and with what.
struct Asker {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    /// Whether they may have: a look, something done, a change of their account, administration.
    may: [Answer; 5],
}

/// What is to come of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    /// Neither 401 nor 403.
    Let,
    Unknown,
    Forbidden,
}

use Answer::{Forbidden, Let, Unknown};

struct Row {
    method: String,
    path: &'static str,
    access: Access,
}

fn rows() -> Vec<Row> {
    let rows: Vec<Row> = mortise::api::endpoints()
        .into_iter()
        .map(|endpoint| Row { method: endpoint.method.to_string(), path: endpoint.path, access: endpoint.access })
        .collect();
    assert!(rows.len() > 40);
    rows
}

/// Who may ask, by the path alone: whoever changes an endpoint's access changes it here too, or didn't mean it.
fn access(method: &str, path: &str) -> Access {
    const OPS: [&str; 6] = ["/health", "/metrics", "/docs", "/redoc", "/openapi.json", "/api/v1/openapi.json"];
    const UNKNOWN: [&str; 5] = [
        "/api/v1/auth/register",
        "/api/v1/auth/login",
        "/api/v1/auth/refresh",
        "/api/auth/register",
        "/api/auth/login",
    ];
    if OPS.iter().any(|start| path.starts_with(start)) || UNKNOWN.contains(&path) {
        Access::Anyone
    } else if path.starts_with("/api/v1/admin/") {
        Access::Admin
    } else if method == "GET" && (path == "/api/v1/auth/me" || path == "/api/auth/me") {
        Access::Member
    } else if path.starts_with("/api/v1/auth/") || path.starts_with("/api/auth/") {
        Access::Account
    } else {
        Access::Caller
    }
}

/// Which of [`Asker::may`] it is.
fn column(row: &Row) -> Option<usize> {
    match row.access {
        Access::Anyone => None,
        Access::Caller if row.method == "GET" => Some(0),
        Access::Caller => Some(1),
        Access::Member => Some(2),
        Access::Account => Some(3),
        Access::Admin => Some(4),
    }
}

/// What ends the login or the account of whoever may ask it.
fn ends(row: &Row) -> bool {
    row.path.starts_with("/api/v1/auth/logout") || (row.method == "DELETE" && row.path == "/api/v1/auth/me")
}

fn request(method: &str, path: &str) -> Request {
    let request = Request::new(method, path);
    if ["POST", "PUT", "PATCH"].contains(&method) { request.body("{}") } else { request }
}

/// The path with `id` in its first place, and a word in each other.
fn filled(path: &str, id: &str) -> String {
    let mut pieces = path.split('{');
    let mut filled = pieces.next().unwrap().to_owned();
    for (number, piece) in pieces.enumerate() {
        let (_, rest) = piece.split_once('}').unwrap();
        filled += &format!("{}{rest}", if number == 0 { id } else { "x" });
    }
    filled
}

async fn ask(client: Client, asker: &Asker, request: Request) -> Reply {
    let request = asker.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    client.send(&request).await
}

/// A server where the owner of a static key, people and keys may ask; `asks` says whether everybody has to say who they are.
async fn world(asks: bool) -> (Server, Person) {
    administered_with(&format!("enabled: {asks}, api_key: 'file:HOME/static'"), "", |home| {
        std::fs::write(home.join("static"), STATIC).unwrap();
        ECHO.to_owned()
    })
    .await
}

/// Everybody, each as good as they can be made; the first three are the owner, another, and one who may only look.
async fn askers(server: &Server, admin: &Person, asks: bool) -> Vec<Asker> {
    let client = server.client;
    let login = async |name: &str| {
        let id = server.register(&format!("{name}@example.com")).await;
        (id, server.log_in(&format!("{name}@example.com")).await)
    };
    let patch = async |id: &str, body: Value| {
        let request = Request::new("PATCH", &format!("/api/v1/admin/users/{id}")).json(&body);
        admin.send(client, request).await.expect(200)
    };
    let ((_, owner), (_, other)) = (login("owner").await, login("other").await);
    let (viewer_id, viewer) = login("viewer").await;
    patch(&viewer_id, json!({"role": "viewer"})).await;
    let (disabled_id, disabled) = login("disabled").await;
    let key = async |person: &Person, body: Value| {
        let made = person.post(client, "/api/auth/api-keys", &body).await.expect(201);
        made["key"].as_str().unwrap().to_owned()
    };
    let of_disabled = key(&disabled, json!({"name": "k"})).await;
    patch(&disabled_id, json!({"is_active": false})).await;
    let soon = format!("{:.3}", mortise::service::Clock::system().now() + jiff::SignedDuration::from_millis(300));
    let expired = key(&other, json!({"name": "expired", "expires_at": soon})).await;
    until("the key to expire", async || {
        let reply = client.send(&Request::new("GET", "/api/v1/auth/me").header("X-API-Key", &expired)).await;
        (reply.status() == 401).then_some(())
    })
    .await;
    let bearer = |person: &Person| vec![("Authorization", format!("Bearer {}", person.token))];
    let shown = |key: String| vec![("X-API-Key", key)];
    let nobody = if asks { Unknown } else { Let };
    let asker = |name, headers, may| Asker { name, headers, may };
    vec![
        asker("owner", bearer(&owner), [Let, Let, Let, Let, Forbidden]),
        asker("other", bearer(&other), [Let, Let, Let, Let, Forbidden]),
        asker("viewer", bearer(&viewer), [Let, Forbidden, Let, Let, Forbidden]),
        asker(
            "reading key",
            shown(key(&other, json!({"name": "r", "scopes": ["read"]})).await),
            [Let, Forbidden, Let, Forbidden, Forbidden],
        ),
        asker("writing key", shown(key(&other, json!({"name": "w"})).await), [Let, Let, Let, Forbidden, Forbidden]),
        asker(
            "account's key",
            shown(key(&other, json!({"name": "a", "scopes": ["account"]})).await),
            [Let, Forbidden, Let, Let, Forbidden],
        ),
        asker(
            "greedy key",
            shown(key(&other, json!({"name": "g", "scopes": ["write", "admin"]})).await),
            [Let, Let, Let, Forbidden, Forbidden],
        ),
        asker(
            "administrator's key",
            shown(key(admin, json!({"name": "k"})).await),
            [Let, Let, Let, Forbidden, Forbidden],
        ),
        asker("administrator", bearer(admin), [Let; 5]),
        asker("static key", shown(STATIC.into()), [Let, Let, Forbidden, Forbidden, Forbidden]),
        asker("anonymous", Vec::new(), [nobody, nobody, Unknown, Unknown, Unknown]),
        asker("expired key", shown(expired), [Unknown; 5]),
        asker("disabled", bearer(&disabled), [Forbidden; 5]),
        asker("key of who is disabled", shown(of_disabled), [Forbidden; 5]),
    ]
}

#[tokio::test]
async fn everybody_may_ask_what_the_table_says_and_nothing_else() {
    for asks in [true, false] {
        let (server, admin) = world(asks).await;
        let askers = askers(&server, &admin, asks).await;
        for row in rows() {
            assert_eq!(row.access, access(&row.method, row.path), "{} {}", row.method, row.path);
            for asker in &askers {
                let expected = column(&row).map_or(Let, |column| asker.may[column]);
                if expected == Let && ends(&row) {
                    continue;
                }
                let reply = ask(server.client, asker, request(&row.method, &filled(row.path, "x"))).await;
                let answer = match reply.status() {
                    401 => Unknown,
                    403 => Forbidden,
                    _ => Let,
                };
                let place = format!("{} {} as {} (asked for keys: {asks})", row.method, row.path, asker.name);
                assert_eq!(answer, expected, "{place}: {} {}", reply.status(), reply.text());
            }
        }
    }
}

/// Makes what stands in the first place of `path`, as the owner, and gives its id; nothing where it is everybody's.
async fn make(path: &str, client: Client, owner: &Asker) -> Option<String> {
    const EVERYBODYS: [&str; 5] =
        ["/v1/models/", "/openai/v1/models/", "/anthropic/v1/models/", "/anthropic/v1/v1/models/", "/api/v1/tools/"];
    if EVERYBODYS.iter().any(|start| path.starts_with(start)) {
        return None;
    }
    let (made_at, body, id) = match path.split('{').next().unwrap() {
        "/api/v1/conversations/" => ("/api/v1/conversations", json!({"message": MARK}), "conversation_id"),
        "/api/v1/sessions/" => ("/api/v1/sessions", json!({"name": MARK}), "id"),
        "/api/v1/session-templates/" => ("/api/v1/session-templates", json!({"name": MARK}), "id"),
        "/v1/responses/" | "/openai/v1/responses/" => ("/v1/responses", json!({"model": "echo", "input": MARK}), "id"),
        "/api/sessions/" => ("/api/sessions", json!({"name": MARK}), "id"),
        "/api/tasks/" | "/ws/tasks/" => return Some(make_task(client, owner).await),
        "/api/auth/api-keys/" => ("/api/auth/api-keys", json!({"name": MARK}), "id"),
        _ => panic!("whose is what {path} names? say in `make` how its owner makes it, or that it is everybody's"),
    };
    let reply = ask(client, owner, Request::new("POST", made_at).json(&body)).await;
    assert!([200, 201].contains(&reply.status()), "{made_at}: {} {}", reply.status(), reply.text());
    Some(reply.json()[id].as_str().unwrap_or_else(|| panic!("no {id}: {}", reply.text())).to_owned())
}

/// A task of the owner's, in a session of its own.
async fn make_task(client: Client, owner: &Asker) -> String {
    let session = Request::new("POST", "/api/sessions").json(&json!({"name": MARK}));
    let session = ask(client, owner, session).await.json()["id"].as_str().unwrap().to_owned();
    let task = Request::new("POST", &format!("/api/sessions/{session}/tasks")).json(&json!({"description": MARK}));
    let reply = ask(client, owner, task).await;
    assert!([200, 201, 202].contains(&reply.status()), "a task: {} {}", reply.status(), reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn nobody_but_the_owner_finds_what_the_owner_made() {
    let (server, admin) = world(true).await;
    let askers = askers(&server, &admin, true).await;
    let (owner, others) = askers.split_first().unwrap();
    let mut ids = Vec::new();
    for row in rows().iter().filter(|row| row.path.contains('{')) {
        if matches!(row.access, Access::Anyone | Access::Admin) {
            continue;
        }
        let Some(id) = make(row.path, server.client, owner).await else { continue };
        let path = filled(row.path, &id);
        for asker in others.iter().filter(|asker| !asker.name.starts_with("administrator")) {
            let reply = ask(server.client, asker, request(&row.method, &path)).await;
            let place = format!("{} {} as {}", row.method, row.path, asker.name);
            // What is no handshake is refused whatever it asks for.
            let refused =
                [401, 403, 404].contains(&reply.status()) || row.path.starts_with("/ws/") && reply.status() == 426;
            assert!(refused, "{place}: {} {}", reply.status(), reply.text());
            assert!(!reply.text().contains(MARK), "{place}: {}", reply.text());
            // Whether it is there at all isn't told either: what was made up is answered the same.
            let made_up = filled(row.path, &made_up(&id));
            let same = ask(server.client, asker, request(&row.method, &made_up)).await;
            let without = |text: &str, id: &str| text.replace(id, "ID");
            let words = |reply: &Reply| crate::steady::steady(reply.json());
            assert_eq!(reply.status(), same.status(), "{place}");
            let (told, same) = (words(&reply).to_string(), words(&same).to_string());
            assert_eq!(without(&told, &id), without(&same, &self::made_up(&id)), "{place}");
        }
        // It was there all the time.
        if row.path.ends_with('}') && row.path.matches('{').count() == 1 && !row.path.starts_with("/ws/") {
            let reply = ask(server.client, owner, request(&row.method, &path)).await;
            assert!(![401, 403, 404].contains(&reply.status()), "{} {}: {}", row.method, row.path, reply.text());
        }
        ids.push(id);
    }
    assert!(!ids.is_empty());
    for path in ["/api/v1/conversations/", "/api/auth/api-keys/"] {
        ids.extend(make(&format!("{path}{{id}}"), server.client, owner).await);
    }
    for row in rows().iter().filter(|row| row.method == "GET" && !row.path.contains('{')) {
        if row.access == Access::Anyone {
            continue;
        }
        for asker in others.iter().filter(|asker| !asker.name.starts_with("administrator")) {
            let reply = ask(server.client, asker, request("GET", row.path)).await;
            let text = String::from_utf8_lossy(&reply.body);
            let leaked = text.contains(MARK) || ids.iter().any(|id| text.contains(id.as_str()));
            assert!(!leaked, "{} as {}: {text}", row.path, asker.name);
        }
    }
}

/// An id of the same form that nobody has.
fn made_up(id: &str) -> String {
    id.replace('0', "1")
}
