//! Tests of `/api/v1/sessions`.

use std::io::Read;

use serde_json::{Value, json};

use crate::client::{Client, Request};
use crate::harness::{ECHO, Server};
use crate::{shape, snapshot};

const PATH: &str = "/api/v1/sessions";

async fn made(client: Client, body: &Value) -> Value {
    client.post(PATH, body).await.expect(201)
}

fn at(session: &Value, rest: &str) -> String {
    format!("{PATH}/{}{rest}", session["id"].as_str().unwrap())
}

/// The document's example, word for word.
fn documented() -> Value {
    json!({
        "name": "My Investigation Session",
        "mode": "interactive",
        "sdk_options": {"allowed_tools": ["Read", "Write", "Bash"], "permission_mode": "default"},
    })
}

#[tokio::test]
async fn a_session_has_the_documented_shape() {
    let server = Server::echo().await;
    let session = made(server.client, &documented()).await;
    let workspace = session["working_directory_path"].as_str().unwrap();
    assert!(std::path::Path::new(workspace).is_dir(), "{workspace}");
    let asked = json!({"message": "Analyze the error logs in /var/log/app.log"});
    let answer = server.client.post(&at(&session, "/query"), &asked).await.expect(200);
    let shown = server.client.get(&at(&session, "")).await.expect(200);
    let listed = server.client.get(PATH).await.expect(200);
    let messages = server.client.get(&at(&session, "/messages")).await.expect(200);
    let calls = server.client.get(&at(&session, "/tool-calls")).await.expect(200);
    let short = format!("{PATH}/{}", session["id"].as_str().unwrap()[..8].to_uppercase());
    assert_eq!(server.client.get(&short).await.expect(200)["id"], session["id"]);
    let unlinked = |mut list: Value| {
        assert_eq!(list["links"]["next"], Value::Null);
        list["links"].take();
        list
    };
    let (listed, messages, calls) = (unlinked(listed), unlinked(messages), unlinked(calls));
    snapshot!(json!({
        "made": session, "answer": answer, "shown": shown, "listed": listed, "messages": messages, "calls": calls,
    }));
}

#[tokio::test]
async fn nothing_at_all_makes_a_session_too() {
    let server = Server::echo().await;
    let session = made(server.client, &json!({})).await;
    assert_eq!(
        (&session["mode"], &session["status"], &session["name"]),
        (&json!("interactive"), &json!("created"), &Value::Null)
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let server = Server::echo().await;
    for body in [
        json!({"name": 1}),
        json!({"name": "x".repeat(256)}),
        json!({"mode": "lazy"}),
        json!({"sdk_options": []}),
        json!({"sdk_options": {"model": 1}}),
        json!({"nmae": "x"}),
    ] {
        shape::native(&server.client.post(PATH, &body).await, 422, "VALIDATION_ERROR");
    }
    for query in ["limit=0", "limit=101", "limit=x", "skip=-1", "status=lost", "mode=lost", "after=x"] {
        let refusal = shape::native(&server.client.get(&format!("{PATH}?{query}")).await, 422, "VALIDATION_ERROR");
        assert_eq!(refusal["details"]["field"], query.split('=').next().unwrap());
    }
    let session = made(server.client, &json!({})).await;
    for body in
        [json!({}), json!({"message": ""}), json!({"message": "x".repeat(50_001)}), json!({"message": "x", "a": 1})]
    {
        shape::native(&server.client.post(&at(&session, "/query"), &body).await, 422, "VALIDATION_ERROR");
    }
    for id in ["6f9619ff-8b86-4d01-b42d-00c04fc964ff", "6f9619ff", "short", "conv-1"] {
        for (method, rest) in
            [("GET", ""), ("DELETE", ""), ("GET", "/messages"), ("POST", "/pause"), ("GET", "/archive")]
        {
            let request = Request::new(method, &format!("{PATH}/{id}{rest}"));
            shape::native(&server.client.send(&request).await, 404, "NOT_FOUND");
        }
    }
    let template = json!({"template_id": "6f9619ff-8b86-4d01-b42d-00c04fc964ff"});
    shape::native(&server.client.post(PATH, &template).await, 404, "NOT_FOUND");
    shape::native(&server.client.get("/api/v1/sessions/x/y").await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat_while_sessions_are_made() {
    let server = Server::echo().await;
    let mut wanted = Vec::new();
    for number in 0..7 {
        wanted.push(made(server.client, &json!({"name": number.to_string()})).await["id"].clone());
        // Their order is that of their times, which are told apart by milliseconds.
        let then = tokio::time::Instant::now();
        while then.elapsed().as_millis() < 2 {
            tokio::task::yield_now().await;
        }
    }
    wanted.reverse();
    let (mut next, mut seen) = (Some(format!("{PATH}?skip=0&limit=3&status=created")), Vec::new());
    while let Some(path) = next {
        let page = server.client.get(&path).await.expect(200);
        assert_eq!((&page["limit"], page["skip"].as_u64().unwrap()), (&json!(3), seen.len() as u64));
        assert_eq!(page["links"]["prev"].is_null(), seen.is_empty());
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        made(server.client, &json!({"name": "late"})).await;
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, wanted);
    assert_eq!(server.client.get(&format!("{PATH}?limit=1&offset=2")).await.expect(200)["total"], 10);
    let echo = server.client.get(&format!("{PATH}?backend=echo")).await.expect(200);
    assert_eq!((&echo["total"], &echo["items"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn options_say_who_answers_and_what_is_told_first() {
    let server = Server::echo().await;
    let body = json!({"sdk_options": {"provider": "claude", "max_tokens": 2}, "system_prompt": "Be brief."});
    let session = made(server.client, &body).await;
    assert_eq!(session["backend"], "claude");
    let answer = server.client.post(&at(&session, "/query"), &json!({"message": "one two three"})).await.expect(200);
    assert_eq!(
        (&answer["content"]["text"], &answer["stop_reason"]),
        (&json!("one two "), &json!("length")),
        "{answer}"
    );
    assert_eq!(answer["metrics"]["input_tokens"], 5, "the instructions are read too: {answer}");
    let listed = server.client.get(&format!("{PATH}?backend=claude&status=active")).await.expect(200);
    assert_eq!((&listed["total"], &listed["items"][0]["turn_count"]), (&json!(1), &json!(1)), "{listed}");
    let unknown = made(server.client, &json!({"sdk_options": {"provider": "nobody"}})).await;
    shape::native(
        &server.client.post(&at(&unknown, "/query"), &json!({"message": "x"})).await,
        404,
        "PROVIDER_NOT_FOUND",
    );
    let shown = server.client.get(&at(&unknown, "")).await.expect(200);
    assert_eq!((&shown["status"], &shown["total_messages"]), (&json!("active"), &json!(0)));
    assert!(shown["error_message"].as_str().unwrap().contains("nobody"), "{shown}");
}

#[tokio::test]
async fn a_question_can_be_answered_as_a_stream() {
    let server = Server::echo().await;
    let session = made(server.client, &json!({})).await;
    let ask = |message: &str| {
        Request::new("POST", &at(&session, "/query"))
            .header("Accept", "text/event-stream, application/json;q=0.5")
            .json(&json!({"message": message}))
    };
    let events = server.client.send(&ask("one [[think a moment]] two")).await.events();
    let end: Value = serde_json::from_str(&events.last().unwrap().data).unwrap();
    assert_eq!(end["response"]["content"]["text"], "one two", "{end}");
    let messages = server.client.get(&at(&session, "/messages")).await.expect(200);
    assert_eq!(messages["items"][1]["id"], end["response"]["message_id"]);
    assert_eq!(messages["items"][1]["content"]["blocks"][0]["thinking"], "a moment", "{messages}");
    // Whoever hangs up leaves what was said, and the session takes the next question.
    let mut stream = server.client.stream(&ask("three [[wait 60000]] four")).await;
    while stream.next().await.is_some_and(|event| event.name.as_deref() != Some("token")) {}
    drop(stream);
    let more = server.client.post(&at(&session, "/query"), &json!({"message": "five"})).await.expect(200);
    assert_eq!(more["content"]["text"], "five");
    let messages = server.client.get(&at(&session, "/messages?skip=2")).await.expect(200);
    let items = messages["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[1]["complete"], &items[1]["sequence_number"]), (4, &json!(false), &json!(4)));
    // What fails on the way is told, and what was said is kept.
    let events = server.client.send(&ask("six [[fail upstream no more]]")).await.events();
    assert!(events.iter().any(|event| event.name.as_deref() == Some("error")), "{events:?}");
}

#[tokio::test]
async fn who_is_paused_takes_no_questions() {
    let server = Server::echo().await;
    let session = made(server.client, &json!({})).await;
    let post = |rest: &str| Request::new("POST", &at(&session, rest));
    let paused = server.client.send(&post("/pause")).await.expect(200);
    assert_eq!(paused["status"], "paused");
    let refusal = server.client.post(&at(&session, "/query"), &json!({"message": "x"})).await;
    let refusal = shape::native(&refusal, 409, "CONFLICT");
    assert_eq!(refusal["details"]["status"], "paused");
    shape::native(&server.client.send(&post("/pause")).await, 409, "CONFLICT");
    assert_eq!(server.client.send(&post("/resume")).await.expect(200)["status"], "active");
    shape::native(&server.client.send(&post("/resume")).await, 409, "CONFLICT");
    server.client.post(&at(&session, "/query"), &json!({"message": "x"})).await.expect(200);
    let ended = Request::new("PATCH", &at(&session, "")).json(&json!({"name": "Done", "status": "completed"}));
    let ended = server.client.send(&ended).await.expect(200);
    assert_eq!((&ended["status"], &ended["name"]), (&json!("completed"), &json!("Done")));
    assert!(ended["completed_at"].is_string());
    shape::native(&server.client.send(&post("/resume")).await, 409, "CONFLICT");
    shape::native(&server.client.post(&at(&session, "/query"), &json!({"message": "x"})).await, 409, "CONFLICT");
}

#[tokio::test]
async fn a_fork_takes_messages_and_files_along() {
    let server = Server::echo().await;
    let parent = made(server.client, &json!({"name": "Parent"})).await;
    for message in ["one", "two"] {
        server.client.post(&at(&parent, "/query"), &json!({"message": message})).await.expect(200);
    }
    let files = std::path::PathBuf::from(parent["working_directory_path"].as_str().unwrap());
    std::fs::write(files.join("notes.md"), "notes").unwrap();
    let fork = server.client.post(&at(&parent, "/fork"), &json!({"name": "Forked Session"})).await.expect(201);
    assert_eq!(fork["total_messages"], 4);
    snapshot!(fork.clone());
    let copy = std::path::PathBuf::from(fork["working_directory_path"].as_str().unwrap());
    assert_eq!(std::fs::read_to_string(copy.join("notes.md")).unwrap(), "notes");
    let body = json!({"fork_at_message": 2, "include_working_directory": false});
    let early = server.client.post(&at(&parent, "/fork"), &body).await.expect(201);
    assert_eq!((&early["name"], &early["total_messages"]), (&json!("Parent (fork)"), &json!(2)));
    let copy = std::path::PathBuf::from(early["working_directory_path"].as_str().unwrap());
    assert!(copy.is_dir() && !copy.join("notes.md").exists());
    // It goes its own way.
    server.client.post(&at(&early, "/query"), &json!({"message": "three"})).await.expect(200);
    let said = async |session: &Value| {
        let messages = server.client.get(&at(session, "/messages")).await.expect(200);
        let texts = messages["items"].as_array().unwrap().iter().map(|item| item["content"]["content"].clone());
        texts.collect::<Vec<_>>()
    };
    assert_eq!(said(&early).await, ["one", "one", "three", "three"]);
    assert_eq!(said(&parent).await, ["one", "one", "two", "two"]);
    shape::native(
        &server.client.post(&at(&parent, "/fork"), &json!({"fork_at_message": 5})).await,
        422,
        "VALIDATION_ERROR",
    );
    let gone = server.client.send(&Request::new("DELETE", &at(&parent, ""))).await;
    assert_eq!((gone.status(), files.exists(), copy.exists()), (204, false, true));
    shape::native(&server.client.get(&at(&parent, "")).await, 404, "NOT_FOUND");
    shape::native(&server.client.get(&at(&parent, "/messages")).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn an_archive_holds_the_files_and_what_they_are() {
    let server = Server::echo().await;
    let session = made(server.client, &json!({})).await;
    shape::native(&server.client.get(&at(&session, "/archive")).await, 404, "NOT_FOUND");
    let files = std::path::PathBuf::from(session["working_directory_path"].as_str().unwrap());
    std::fs::write(files.join("notes.md"), "notes").unwrap();
    let archive = server.client.post(&at(&session, "/archive"), &json!({"compression": "gzip"})).await.expect(200);
    let size = archive["archive_size_bytes"].as_u64().unwrap();
    let id = archive["archive_id"].as_str().unwrap();
    assert_eq!(archive["archive_path"], format!("/archives/{id}.tar.gz"));
    assert_eq!((&archive["file_count"], &archive["status"]), (&json!(1), &json!("completed")));
    assert_eq!(server.client.get(&at(&session, "/archive")).await.expect(200), archive);
    let file = server.client.get(archive["download_url"].as_str().unwrap()).await;
    assert_eq!((file.status(), file.head.kind(), file.body.len() as u64), (200, "application/gzip", size));
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file.body.as_slice()));
    let mut found = Vec::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let (path, mut text) = (entry.path().unwrap().display().to_string(), String::new());
        entry.read_to_string(&mut text).unwrap();
        found.push((path, text));
    }
    assert_eq!(found[0], ("workspace/notes.md".into(), "notes".into()));
    let manifest: Value = serde_json::from_str(&found[1].1).unwrap();
    assert_eq!((&manifest["session_id"], &manifest["files"][0]["size"]), (&session["id"], &json!(5)), "{manifest}");
    shape::native(
        &server.client.post(&at(&session, "/archive"), &json!({"compression": "zip"})).await,
        422,
        "VALIDATION_ERROR",
    );
    // One that is over is kept only so from then on.
    let ended = Request::new("PATCH", &at(&session, "")).json(&json!({"status": "terminated"}));
    server.client.send(&ended).await.expect(200);
    server.client.post(&at(&session, "/archive"), &json!({})).await.expect(200);
    assert_eq!(server.client.get(&at(&session, "")).await.expect(200)["status"], "archived");
}

#[tokio::test]
async fn sessions_are_their_owners_on_every_route() {
    const ALICE: &str = "alice-0123456789abcdef0123456789abcdef";
    let server = Server::configured(|home| {
        std::fs::write(home.join("alice"), ALICE).unwrap();
        format!("{ECHO}server: {{auth: {{enabled: false, api_key: 'file:{}/alice'}}}}\n", home.display())
    })
    .await;
    let alice = |request: Request| request.header("X-API-Key", ALICE);
    let new = Request::new("POST", PATH).json(&json!({"name": "a secret plan"}));
    let session = server.client.send(&alice(new)).await.expect(201);
    let ask = Request::new("POST", &at(&session, "/query")).json(&json!({"message": "a secret question"}));
    server.client.send(&alice(ask.clone())).await.expect(200);
    let routes = [
        ("GET", "", None),
        ("PATCH", "", Some(json!({"name": "mine"}))),
        ("DELETE", "", None),
        ("GET", "/messages", None),
        ("GET", "/tool-calls", None),
        ("POST", "/query", Some(json!({"message": "x"}))),
        ("POST", "/fork", Some(json!({}))),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/archive", Some(json!({}))),
        ("GET", "/archive", None),
        ("GET", "/archive/download", None),
    ];
    let unknown = "6f9619ff-8b86-4d01-b42d-00c04fc964ff";
    for (method, rest, body) in &routes {
        let asked = async |id: &str| {
            let request = Request::new(method, &format!("{PATH}/{id}{rest}"));
            let request = body.iter().fold(request, |request, body| request.json(body));
            let body = shape::native(&server.client.send(&request).await, 404, "NOT_FOUND");
            body["error"].as_str().unwrap().replace(id, "it")
        };
        let id = session["id"].as_str().unwrap();
        assert_eq!(asked(id).await, asked(unknown).await, "{method} {rest}: nobody learns that it is there");
        assert!(!asked(&id[..8]).await.contains("secret"));
    }
    let listed = server.client.get(PATH).await.expect(200);
    assert_eq!((&listed["total"], &listed["items"]), (&json!(0), &json!([])));
    let request = Request::new("GET", &at(&session, ""));
    assert_eq!(server.client.send(&alice(request)).await.expect(200)["name"], "a secret plan");
}
