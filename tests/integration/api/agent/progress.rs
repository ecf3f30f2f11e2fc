//! How far a tool has come, as whoever watches the task is told.

use serde_json::json;

use super::tasks::{begin, calling, hear_all, kinds, watch, without_a_gap};
use crate::harness::{Server, vendors};
use crate::upstream::openai::words;
use crate::upstream::{Answer, Upstream};

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_is_told_what_a_tool_says_of_its_progress() {
    let upstream = Upstream::script([calling("report", &json!({})), Answer::stream(&words(&["Done."]))]).await;
    let server = Server::configured(|home| {
        std::fs::write(home.join("plugins/tool-well.wasm"), test_guests::get("tool-well")).unwrap();
        vendors(home, &upstream)
    })
    .await;
    let id = begin(&server, json!({"description": "Report"})).await;
    // It may be over by now: what is told then is what was stored.
    let events = hear_all(&mut watch(&server, &id, 0).await).await;
    without_a_gap(&events, 1);
    let called = kinds(&events).iter().position(|kind| *kind == "tool_call").unwrap();
    let told: Vec<_> = events.iter().filter(|event| event["type"] == "tool_progress").collect();
    let last = told.last().unwrap_or_else(|| panic!("nobody was told: {events:?}"));
    let words = json!({
        "type": "tool_progress", "tool": "report", "call_id": "call_1", "message": "nearly",
        "sequence": last["sequence"], "timestamp": last["timestamp"],
    });
    assert_eq!(**last, words);
    let result = kinds(&events).iter().position(|kind| *kind == "tool_result").unwrap();
    assert_eq!(result, called + told.len() + 1, "between the call and its result");
    if let [half, _] = told[..] {
        assert_eq!((&half["fraction"], &half["message"]), (&json!(0.5), &json!("half")));
    }
}
