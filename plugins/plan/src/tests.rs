//! The tool, called as the host calls it.

use mortise_sdk::testing::tool::Host;
use serde_json::{Value, json};

use crate::toolbox::Plan;

fn update(arguments: Value) -> Result<(String, Value), String> {
    let answer = Host::new().call::<Plan>("update_plan", arguments);
    answer.map(|answer| (answer.text, answer.json)).map_err(|error| error.message)
}

#[test]
fn a_plan_is_said_with_all_its_steps() {
    let (text, plan) = update(json!({
        "explanation": "because",
        "steps": [
            {"description": "look", "status": "completed"},
            {"id": "mend", "step": " mend it ", "status": "in_progress"},
            {"content": "test"},
        ],
    }))
    .unwrap();
    assert_eq!(text, "the plan has 3 steps, 1 completed\n[x] look\n[>] mend it\n[ ] test\n");
    assert_eq!(
        plan,
        json!({
            "explanation": "because",
            "steps": [
                {"id": "step-1", "description": "look", "status": "completed"},
                {"id": "mend", "description": "mend it", "status": "in_progress"},
                {"id": "step-3", "description": "test", "status": "pending"},
            ],
        })
    );
    assert!(update(json!({"plan": [{"step": "one"}]})).is_ok());
}

#[test]
fn what_is_no_plan_is_refused() {
    for (arguments, says) in [
        (json!({"steps": []}), "the plan has no step"),
        (json!({"steps": vec![json!({"step": "x"}); 101]}), "the plan has 101 steps, more than 100; join some"),
        (json!({"steps": [{"step": "  "}]}), "step 1: a description has 1 to 2000 bytes"),
        (json!({"steps": [{"step": "x".repeat(2001)}]}), "step 1: a description has 1 to 2000 bytes"),
        (json!({"steps": [{"step": "a", "id": "step-2"}, {"step": "b"}]}), "step 2: there is another step `step-2`"),
        (
            json!({"steps": [{"step": "a", "id": "\u{1b}[2J"}]}),
            "step 1: an id has 1 to 64 bytes, none of them control characters",
        ),
        (
            json!({"steps": [{"step": "a", "status": "done"}]}),
            "arguments: `steps.0.status`: unknown variant `done`, expected one of `pending`, `in_progress`, `completed`",
        ),
        (json!({"steps": [{}]}), "arguments: `steps.0`: missing field `description`"),
    ] {
        assert_eq!(update(arguments).unwrap_err(), says);
    }
}
