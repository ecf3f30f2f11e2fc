//! Callers of OpenAI's surface in front of Ollama.

use serde_json::{Value, json};

use super::PATH;
use crate::client::Request;
use crate::grammar;
use crate::harness::Server;
use crate::shape;
use crate::upstream::ollama::{MODEL, call, last, piece, stream, word};
use crate::upstream::{Answer, Upstream};

async fn server(upstream: &Upstream) -> Server {
    let settings = "{options: {num_ctx: 32768}}";
    Server::start(&format!(
        "providers:\n  ollama: {{base_url: '{}', retries: 0, settings: {settings}}}\n",
        upstream.base_url()
    ))
    .await
}

fn asks(stream: bool) -> Value {
    let mut body = json!({"model": format!("ollama/{MODEL}"), "messages": [{"role": "user", "content": "Hello!"}]});
    if stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

fn request(stream: bool) -> Request {
    Request::new("POST", PATH).json(&asks(stream))
}

#[tokio::test]
async fn a_whole_answer_and_no_key() {
    let upstream = Upstream::always(Answer::json(&last("Hi, naïve 🦀!"))).await;
    let server = server(&upstream).await;
    let body = server.client.send(&request(false)).await.expect(200);
    assert_eq!(body["choices"][0]["message"]["content"], "Hi, naïve 🦀!");
    assert_eq!((&body["choices"][0]["finish_reason"], &body["usage"]["total_tokens"]), (&json!("stop"), &json!(21)));
    let seen = upstream.request(0).await;
    assert_eq!((seen.path.as_str(), seen.header("authorization")), ("/v1/api/chat", None));
    assert_eq!(
        seen.json(),
        json!({
            "model": MODEL, "messages": [{"role": "user", "content": "Hello!"}], "options": {"num_ctx": 32768}, "stream": false,
        })
    );
}

#[tokio::test]
async fn a_stream_however_it_is_cut() {
    let answer = stream(&[piece("thinking", json!("Hm.")), word("Hel"), word("lo é🦀"), last("")]);
    let upstream = Upstream::script([answer.clone(), answer.clone().every_byte(), answer.clone().trickle()]).await;
    let server = server(&upstream).await;
    for _ in 0..3 {
        let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
        assert_eq!((said.reasoning.as_str(), said.text.as_str()), ("Hm.", "Hello é🦀"));
        assert_eq!((said.finish.as_deref(), &said.usage.unwrap()["prompt_tokens"]), (Some("stop"), &json!(9)));
    }
    // The last line says that it is: nobody waits for the connection.
    upstream.then(answer.unended());
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert_eq!(said.text, "Hello é🦀");
}

#[tokio::test]
async fn tools_in_two_turns() {
    let both = json!([call("get_weather", json!({"city": "Zürich"})), call("get_weather", json!({"city": "Paris"}))]);
    let upstream =
        Upstream::script([stream(&[piece("tool_calls", both), last("")]), Answer::json(&last("18 °C."))]).await;
    let server = server(&upstream).await;
    let mut body = asks(true);
    let function =
        json!({"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}});
    body["tools"] = json!([{"type": "function", "function": function}]);
    let said = grammar::openai(&server.client.post(PATH, &body).await.events(), true);
    assert_eq!((said.finish.as_deref(), said.calls.len()), (Some("tool_calls"), 2));
    let tool_calls: Vec<Value> = said.calls.iter().map(|call| {
        json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
    }).collect();
    let result = |at: usize, text: &str| json!({"role": "tool", "tool_call_id": said.calls[at].id, "content": text});
    let mut second = asks(false);
    let message = json!({"role": "assistant", "content": null, "tool_calls": tool_calls});
    second["messages"] = json!([second["messages"][0], message, result(1, "20 °C"), result(0, "18 °C")]);
    server.client.post(PATH, &second).await.expect(200);
    let seen = upstream.request(1).await.json();
    let sent = |at: usize, city: &str| json!({"id": said.calls[at].id, "function": {"name": "get_weather", "arguments": {"city": city}}});
    let told = |at: usize, text: &str| json!({"role": "tool", "content": text, "tool_name": "get_weather", "tool_call_id": said.calls[at].id});
    assert_eq!(
        seen["messages"][1],
        json!({"role": "assistant", "content": "", "tool_calls": [sent(0, "Zürich"), sent(1, "Paris")]})
    );
    assert_eq!(seen["messages"].as_array().unwrap()[2..], [told(1, "20 °C"), told(0, "18 °C")]);
}

#[tokio::test]
async fn errors_have_ollama_s_words_wherever_they_stand() {
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    let table = [
        (404, "model 'qwen3:8b' not found", 404, "invalid_request_error"),
        (400, "\"qwen3:8b\" does not support tools", 400, "invalid_request_error"),
        (503, "server busy, please try again", 503, "server_error"),
        (500, "out of memory", 502, "server_error"),
    ];
    for (status, message, expected, kind) in table {
        for streamed in [false, true] {
            upstream.then(Answer::body(status, "application/json", json!({ "error": message }).to_string()));
            let reply = server.client.send(&request(streamed)).await;
            shape::openai(&reply, expected, kind);
            assert!(shape::message(&reply).contains(message), "{}", reply.text());
        }
    }
    upstream.then(stream(&[word("one"), json!({"error": "the runner died"})]));
    let said = grammar::openai(&server.client.send(&request(true)).await.events(), true);
    assert_eq!(said.text, "one");
    assert!(said.error.unwrap()["message"].as_str().unwrap().contains("the runner died"));
}

#[tokio::test]
async fn a_stream_cut_anywhere_ends_with_an_error() {
    let answer = stream(&[word("one "), word("two "), word("three"), last("")]);
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    for at in (0..answer.len()).step_by(61) {
        upstream.then(answer.clone().cut(at));
        let reply = server.client.send(&request(true)).await;
        if reply.status() == 200 {
            let said = grammar::openai(&reply.events(), true);
            assert!(said.error.is_some() && said.finish.is_none(), "cut at {at}: {said:?}");
            assert!("one two three".starts_with(&said.text), "cut at {at}: {said:?}");
        } else {
            assert_eq!(reply.status(), 502, "cut at {at}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn models_and_embeddings() {
    let upstream = Upstream::start().await;
    upstream.route("/v1/api/tags", Answer::json(&json!({"models": [{"name": MODEL, "model": MODEL, "size": 5}]})));
    upstream.then(Answer::json(&json!({"model": "all-minilm", "embeddings": [[0.5, -1.0]], "prompt_eval_count": 3})));
    let server = server(&upstream).await;
    let list = server.client.get("/openai/v1/models").await.expect(200);
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect();
    assert!(ids.contains(&format!("ollama/{MODEL}").as_str()), "{ids:?}");
    let body = json!({"model": "ollama/all-minilm", "input": "hi"});
    let answer = server.client.post("/openai/v1/embeddings", &body).await.expect(200);
    assert_eq!((&answer["data"][0]["embedding"], &answer["usage"]["prompt_tokens"]), (&json!([0.5, -1.0]), &json!(3)));
}

#[tokio::test]
async fn an_image_s_address_is_refused() {
    let upstream = Upstream::start().await;
    let server = server(&upstream).await;
    let mut body = asks(false);
    let image = json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}});
    body["messages"][0]["content"] = json!([image]);
    let reply = server.client.post(PATH, &body).await;
    shape::openai(&reply, 400, "invalid_request_error");
    assert!(shape::message(&reply).contains("send them in base64"), "{}", reply.text());
    assert!(upstream.requests().is_empty());
}

/// Unconfigured it reaches nobody: it is neither the default nor asked for its models, and says what to do.
#[tokio::test]
async fn it_serves_only_who_configures_it() {
    let server = Server::start("{}").await;
    let body = json!({"message": "hi"});
    let answer = server.client.post("/api/v1/chat", &body).await;
    assert!(answer.status() == 200 && answer.text().contains("echo"), "{}", answer.text());
    let list = server.client.get("/openai/v1/models").await.expect(200).to_string();
    assert!(!list.contains("ollama"), "{list}");
    let reply = server.client.send(&request(false)).await;
    assert_ne!(reply.status(), 200);
    assert!(shape::message(&reply).contains("set providers.ollama.base_url"), "{}", reply.text());
}
