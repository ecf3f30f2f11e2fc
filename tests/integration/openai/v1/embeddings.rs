//! Tests of `POST /openai/v1/embeddings`.

use serde_json::{Value, json};

use crate::harness::Server;
use crate::shape;

const PATH: &str = "/openai/v1/embeddings";

#[tokio::test]
async fn vectors_have_the_vendors_shape() {
    let server = Server::echo().await;
    for path in [PATH, "/v1/embeddings"] {
        let body = server.client.post(path, &json!({"model": "claude", "input": ["one", "two"]})).await.expect(200);
        let data = body["data"].as_array().unwrap();
        assert_eq!((&body["object"], data.len()), (&json!("list"), 2), "{body}");
        for (index, item) in data.iter().enumerate() {
            assert_eq!((&item["object"], &item["index"]), (&json!("embedding"), &json!(index)), "{item}");
            let values = item["embedding"].as_array().unwrap();
            assert!(!values.is_empty() && values.iter().all(Value::is_number), "{item}");
        }
        assert_ne!(data[0]["embedding"], data[1]["embedding"]);
        assert_eq!(body["usage"]["prompt_tokens"], body["usage"]["total_tokens"], "{body}");
        assert!(body["usage"]["total_tokens"].as_u64().unwrap() > 0, "{body}");
    }
}

#[tokio::test]
async fn one_text_is_a_list_of_one() {
    let server = Server::echo().await;
    let single = server.client.post(PATH, &json!({"model": "claude", "input": "one"})).await.expect(200);
    let listed = server.client.post(PATH, &json!({"model": "claude", "input": ["one"]})).await.expect(200);
    assert_eq!(single["data"], listed["data"]);
}

#[tokio::test]
async fn bytes_are_the_same_numbers() {
    let server = Server::echo().await;
    let numbers = server.client.post(PATH, &json!({"model": "claude", "input": "one"})).await.expect(200);
    let body = json!({"model": "claude", "input": "one", "encoding_format": "base64"});
    let packed = server.client.post(PATH, &body).await.expect(200)["data"][0]["embedding"].clone();
    let bytes = decode(packed.as_str().expect("base64 is a string"));
    let unpacked: Vec<f32> = bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    let plain: Vec<f32> = serde_json::from_value(numbers["data"][0]["embedding"].clone()).unwrap();
    assert_eq!(unpacked, plain);
}

#[tokio::test]
async fn tokens_are_refused_with_a_cure() {
    let server = Server::echo().await;
    for tokens in [json!([1, 2, 3]), json!([[1, 2], [3]])] {
        let reply = server.client.post(PATH, &json!({"model": "claude", "input": tokens})).await;
        let error = shape::openai(&reply, 400, "invalid_request_error");
        assert_eq!(error["param"], "input");
        assert!(error["message"].as_str().unwrap().contains("send the texts themselves"), "{error}");
    }
}

#[tokio::test]
async fn bad_fields_are_named() {
    let server = Server::echo().await;
    let bad = [
        ("model", Value::Null),
        ("input", Value::Null),
        ("input", json!([])),
        ("input", json!({"a": 1})),
        ("encoding_format", json!("hex")),
        ("dimensions", json!(0)),
    ];
    for (name, value) in bad {
        let mut body = json!({"model": "claude", "input": "one"});
        body[name] = value.clone();
        let error = shape::openai(&server.client.post(PATH, &body).await, 400, "invalid_request_error");
        // A plugin's own refusal has words, but no place for the field.
        assert!(error["param"].is_null() || error["param"] == name, "{name} = {value}: {error}");
        assert!(error["message"].as_str().unwrap().contains(name), "{name} = {value}: {error}");
    }
}

fn decode(base64: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |letter: u8| LETTERS.iter().position(|known| *known == letter).expect("a base64 letter");
    let digits: Vec<usize> = base64.trim_end_matches('=').bytes().map(digit).collect();
    let whole = |four: &[usize]| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8].into_iter().take(four.len() - 1).collect::<Vec<u8>>()
    };
    digits.chunks(4).flat_map(whole).collect()
}
