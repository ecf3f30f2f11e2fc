//! Tests of `POST /api/v1/parallel`, `/api/v1/chain` and `/api/v1/compare`.

use serde_json::{Value, json};

use crate::client::Request;
use crate::harness::{KEY, Server};
use crate::patience::soon;
use crate::upstream::openai::completion;
use crate::upstream::{Answer, Gate, Upstream};
use crate::{shape, snapshot};

/// Providers `a`, `b` and `c`, each with a vendor of its own.
async fn three(upstreams: [&Upstream; 3]) -> Server {
    Server::configured(|home| {
        let key = home.join("key");
        std::fs::write(&key, KEY).unwrap();
        let provider = |(name, upstream): (&str, &Upstream)| {
            let (url, key) = (upstream.base_url(), key.display());
            format!(
                "  {name}: {{plugin: openai, base_url: '{url}', api_key: 'file:{key}', default_model: m, retries: 0}}\n"
            )
        };
        format!("providers:\n{}", ["a", "b", "c"].into_iter().zip(upstreams).map(provider).collect::<String>())
    })
    .await
}

async fn answers(text: &str, gate: &Gate) -> Upstream {
    Upstream::always(Answer::json(&completion(text)).pause_head(gate)).await
}

fn tasks(backends: &[&str]) -> Value {
    backends.iter().map(|backend| json!({"backend": backend, "prompt": "hello"})).collect()
}

fn field<'v>(answer: &'v Value, name: &str) -> Vec<&'v Value> {
    answer["data"]["results"].as_array().unwrap().iter().map(|result| &result[name]).collect()
}

#[tokio::test]
async fn the_envelopes_are_as_the_document_shows() {
    let server = Server::echo().await;
    let client = server.client;
    let both = json!([{"backend": "claude", "prompt": "hello"}, {"backend": "echo", "prompt": "hello"}]);
    snapshot!(client.post("/api/v1/parallel", &json!({"tasks": both, "aggregate": true})).await, 200);
    snapshot!(client.post("/api/v1/compare", &json!({"backends": ["claude", "echo"], "prompt": "hello"})).await, 200);
    let steps = json!([
        {"name": "draft", "backend": "claude", "prompt": "hello {{previous}}"},
        {"backend": "echo", "prompt": "<{{previous}}> <{{previous}}>"},
    ]);
    snapshot!(client.post("/api/v1/chain", &json!({"steps": steps})).await, 200);
}

#[tokio::test]
async fn three_providers_are_asked_at_once_and_told_in_the_order_of_the_tasks() {
    for (path, body) in [
        ("/api/v1/parallel", json!({"tasks": tasks(&["a", "b", "c"]), "max_parallel": 3})),
        ("/api/v1/compare", json!({"backends": ["a", "b", "c"], "prompt": "hello"})),
    ] {
        let gates = [Gate::new(), Gate::new(), Gate::new()];
        let (a, b, c) = (answers("A", &gates[0]).await, answers("B", &gates[1]).await, answers("C", &gates[2]).await);
        let server = three([&a, &b, &c]).await;
        let client = server.client;
        let asked = tokio::spawn(async move { client.post(path, &body).await });
        // None is answered before all are asked: it takes as long as the slowest.
        for gate in &gates {
            gate.reached().await;
        }
        for (gate, upstream) in gates.iter().zip([&a, &b, &c]).rev() {
            assert!(!asked.is_finished());
            gate.open();
            upstream.request(0).await;
        }
        let answer = soon("the answer", asked).await.unwrap().expect(200);
        assert_eq!(answer["success"], true);
        assert_eq!(field(&answer, "output"), ["A", "B", "C"]);
        assert_eq!(field(&answer, "backend"), ["a", "b", "c"]);
    }
}

#[tokio::test]
async fn no_more_run_at_once_than_are_wanted() {
    for (path, body, at_once) in [
        ("/api/v1/parallel", json!({"tasks": tasks(&["openai/m"; 7]), "max_parallel": 2}), 2),
        ("/api/v1/parallel", json!({"tasks": tasks(&["openai/m"; 7])}), 3),
        ("/api/v1/compare", json!({"backends": vec!["openai/m"; 7], "prompt": "x", "sequential": true}), 1),
    ] {
        let gates: Vec<Gate> = (0..7).map(|_| Gate::new()).collect();
        let upstream = Upstream::script(gates.iter().map(|gate| Answer::json(&completion("x")).pause_head(gate))).await;
        let server = Server::vendor(&upstream, "").await;
        let client = server.client;
        let asked = tokio::spawn(async move { client.post(path, &body).await });
        for done in 0..7 {
            let running = (done + at_once).min(7);
            gates[running - 1].reached().await;
            assert_eq!(upstream.requests().len(), running, "{done} of 7 are done");
            gates[done].open();
        }
        let answer = soon("the answer", asked).await.unwrap().expect(200);
        assert_eq!(field(&answer, "exit_code"), [0; 7]);
    }
}

#[tokio::test]
async fn with_fail_fast_the_others_are_canceled_at_their_vendors() {
    let (gate, broken) = (Gate::new(), Gate::new());
    let a = answers("A", &gate).await;
    let b = Upstream::always(Answer::error(400, "invalid_request_error", "no").pause_head(&broken)).await;
    let c = Upstream::start().await;
    let server = three([&a, &b, &c]).await;
    let body = json!({"tasks": tasks(&["a", "b", "c"]), "max_parallel": 2, "fail_fast": true});
    let client = server.client;
    let asked = tokio::spawn(async move { client.post("/api/v1/parallel", &body).await });
    gate.reached().await;
    broken.reached().await;
    assert!(!a.is_closed(0));
    broken.open();
    a.closed(0).await;
    let answer = soon("the answer", asked).await.unwrap().expect(200);
    assert_eq!(answer["success"], false);
    let counts = ["total_tasks", "completed", "failed"].map(|name| answer["data"][name].as_u64().unwrap());
    assert_eq!(counts, [3, 0, 1], "who is canceled has neither an answer nor failed");
    assert_eq!(field(&answer, "exit_code"), [-1, 1, -1]);
    assert_eq!((field(&answer, "error")[0], field(&answer, "error")[2]), (&json!("canceled"), &json!("canceled")));
    assert_eq!(c.requests().len(), 0, "it was never begun");
}

#[tokio::test]
async fn without_fail_fast_one_that_fails_is_only_one() {
    let gate = Gate::new();
    gate.open();
    let (a, c) = (answers("A", &gate).await, answers("C", &gate).await);
    let b = Upstream::always(Answer::error(400, "invalid_request_error", "no")).await;
    let server = three([&a, &b, &c]).await;
    let body = json!({"tasks": tasks(&["a", "b", "c"]), "aggregate": true});
    let answer = server.client.post("/api/v1/parallel", &body).await.expect(200);
    assert_eq!(
        (&answer["success"], field(&answer, "exit_code")),
        (&json!(false), vec![&json!(0), &json!(1), &json!(0)])
    );
    assert!(answer["error"].as_str().unwrap().starts_with("1 of 3 tasks"), "{answer}");
    assert_eq!(answer["data"]["aggregate"]["output"], "## a\n\nA\n\n## c\n\nC");
}

#[tokio::test]
async fn who_hangs_up_ends_all_of_it() {
    for (path, body) in [
        ("/api/v1/parallel", json!({"tasks": tasks(&["a", "b", "c"])})),
        ("/api/v1/compare", json!({"backends": ["a", "b", "c"], "prompt": "x"})),
    ] {
        let gates = [Gate::new(), Gate::new(), Gate::new()];
        let (a, b, c) = (answers("A", &gates[0]).await, answers("B", &gates[1]).await, answers("C", &gates[2]).await);
        let server = three([&a, &b, &c]).await;
        let mut connection = server.client.connect().await;
        connection.send(&Request::new("POST", path).json(&body)).await;
        for gate in &gates {
            gate.reached().await;
        }
        drop(connection);
        for upstream in [&a, &b, &c] {
            upstream.closed(0).await;
        }
    }
}

#[tokio::test]
async fn a_step_gets_what_came_of_the_one_before() {
    let server = Server::echo().await;
    let steps = json!([
        {"backend": "echo", "prompt": "{{previous}} is nothing yet"},
        {"backend": "nobody", "prompt": "x"},
        {"backend": "echo", "prompt": "[{{previous}}]"},
        {"backend": "echo", "prompt": "({{previous}}) {{previous}}"},
    ]);
    let answer = server.client.post("/api/v1/chain", &json!({"steps": steps})).await.expect(200);
    let said = field(&answer, "output");
    assert_eq!(
        said,
        [&json!("{{previous}} is nothing yet"), &Value::Null, &json!("[]"), &json!("([]) []")],
        "{answer}"
    );
    assert_eq!((&answer["success"], &answer["data"]["failed_step"]), (&json!(false), &json!(2)));
    assert_eq!(field(&answer, "step"), [1, 2, 3, 4]);
    let stopped = json!({"steps": steps, "stop_on_failure": true});
    let answer = server.client.post("/api/v1/chain", &stopped).await.expect(200);
    assert_eq!(field(&answer, "exit_code"), [0, 1]);
    let counts = ["total_steps", "completed_steps", "failed_step"].map(|name| answer["data"][name].as_u64().unwrap());
    assert_eq!(counts, [4, 1, 2]);
}

#[tokio::test]
async fn a_chain_can_not_make_a_little_text_long() {
    let server = Server::start(&format!("{}server: {{max_request_body_bytes: 10KiB}}", crate::harness::ECHO)).await;
    let double = json!({"backend": "echo", "prompt": "{{previous}}{{previous}}{{previous}}{{previous}}"});
    let steps: Vec<Value> = std::iter::once(json!({"backend": "echo", "prompt": "x".repeat(1000)}))
        .chain(std::iter::repeat_n(double, 3))
        .collect();
    let body = json!({"steps": steps, "stop_on_failure": true});
    let answer = server.client.post("/api/v1/chain", &body).await.expect(200);
    assert_eq!(answer["data"]["failed_step"], 3, "{answer}");
    assert!(field(&answer, "error")[2].as_str().unwrap().contains("10240 bytes"), "{answer}");
}

#[tokio::test]
async fn steps_share_their_directory_if_that_is_wanted() {
    let server = Server::echo().await;
    let steps = json!([
        {"backend": "echo", "prompt": "x", "workdir": "/etc"},
        {"backend": "echo", "prompt": "x"},
    ]);
    for (pass, codes) in [(false, [1, 0]), (true, [1, 1])] {
        let body = json!({"steps": steps, "pass_working_dir": pass});
        let answer = server.client.post("/api/v1/chain", &body).await.expect(200);
        assert_eq!(field(&answer, "exit_code"), codes);
    }
}

#[tokio::test]
async fn dry_runs_ask_nobody() {
    let upstream = Upstream::start().await;
    let server = Server::vendor(&upstream, "").await;
    let one = json!({"backend": "openai/m", "prompt": "x"});
    for (path, body) in [
        ("/api/v1/parallel", json!({"tasks": [one], "dry_run": true})),
        ("/api/v1/chain", json!({"steps": [one], "dry_run": true})),
        ("/api/v1/compare", json!({"backends": ["openai/m"], "prompt": "x", "dry_run": true})),
    ] {
        let answer = server.client.post(path, &body).await.expect(200);
        assert_eq!(field(&answer, "output"), ["Would execute: 1 bytes of prompt on openai/m"]);
    }
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let server = Server::start(&format!("{}prompt: {{max_tasks: 2}}", crate::harness::ECHO)).await;
    let one = json!({"backend": "echo", "prompt": "x"});
    for (path, body, code, said) in [
        ("parallel", json!({}), "MISSING_FIELD", "tasks are required"),
        ("parallel", json!({"tasks": []}), "MISSING_FIELD", "tasks are required"),
        ("parallel", json!({"tasks": [one, {"backend": "echo"}]}), "MISSING_FIELD", "tasks[1].prompt is required"),
        ("parallel", json!({"tasks": [one, one, one]}), "INVALID_VALUE", "2 at most"),
        ("parallel", json!({"tasks": [one], "max_parallel": 0}), "INVALID_VALUE", "at least 1"),
        (
            "parallel",
            json!({"tasks": [{"backend": "echo", "prompt": "x", "more": 1}]}),
            "INVALID_VALUE",
            "tasks[0].more",
        ),
        (
            "parallel",
            json!({"tasks": [{"backend": "echo", "prompt": "x", "output_format": "stream-json"}]}),
            "INVALID_VALUE",
            "tasks[0].output_format",
        ),
        ("chain", json!({"steps": []}), "MISSING_FIELD", "steps are required"),
        ("chain", json!({"steps": [{"prompt": "x"}]}), "MISSING_FIELD", "steps[0].backend is required"),
        (
            "chain",
            json!({"steps": [one, {"backend": "echo", "prompt": "{{session}}"}]}),
            "INVALID_VALUE",
            "chain step 2 uses {{session}}",
        ),
        ("chain", json!({"steps": [one], "pass_session_id": true}), "INVALID_VALUE", "pass_session_id"),
        ("chain", json!({"steps": [one], "persist_sessions": true}), "INVALID_VALUE", "persist_sessions"),
        ("chain", json!({"steps": [one, one, one]}), "INVALID_VALUE", "2 at most"),
        ("compare", json!({"prompt": "x"}), "MISSING_FIELD", "backends are required"),
        ("compare", json!({"backends": [], "prompt": "x"}), "MISSING_FIELD", "backends are required"),
        ("compare", json!({"backends": ["echo"]}), "MISSING_FIELD", "prompt is required"),
        ("compare", json!({"backends": ["echo", ""], "prompt": "x"}), "INVALID_VALUE", "backends[1]"),
        ("compare", json!({"backends": vec!["echo"; 3], "prompt": "x"}), "INVALID_VALUE", "2 at most"),
    ] {
        let reply = server.client.post(&format!("/api/v1/{path}"), &body).await;
        let refusal = shape::native(&reply, 400, code);
        assert!(refusal["error"].as_str().unwrap().contains(said), "{said}: {refusal}");
    }
}
