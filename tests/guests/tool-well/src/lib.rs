//! Behaves: reads, writes, remembers, waits, tells how far it has come, and says so when it can't.
//!
//! Nothing must stop it. It is what the others are compared with.

use std::cell::Cell;
use std::fs;
use std::time::Duration;

use serde_json::Value;
use tool_kit::{
    Annotations, Context, Error, ErrorKind, Guest, Output, ResultPart, Spec, argument, failed, kv, log, parse,
    progress, spec, text,
};

struct Well;

thread_local! {
    /// Calls that this instance has served.
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

impl Guest for Well {
    fn list_tools(_: String) -> Result<Vec<Spec>, Error> {
        let adding = Annotations { read_only: true, destructive: false, idempotent: true, open_world: false };
        Ok(vec![
            Spec {
                title: Some("Add".to_owned()),
                description: "Adds two numbers".to_owned(),
                category: "math".to_owned(),
                input_schema: r#"{"type":"object","properties":{"a":{"type":"number","description":"The first"},
                    "b":{"type":"number"}},"required":["a","b"],"additionalProperties":false}"#
                    .to_owned(),
                output_schema: Some(r#"{"type":"object","properties":{"sum":{"type":"number"}}}"#.to_owned()),
                annotations: adding,
                ..spec("add")
            },
            Spec {
                input_schema: r#"{"type":"object","properties":{"file_path":{"type":"string","x-aliases":["path"]},
                    "content":{"type":"string"}},"required":["file_path"]}"#
                    .to_owned(),
                annotations: Annotations { read_only: false, ..adding },
                ..spec("keep")
            },
            spec("remember"),
            spec("wait"),
            spec("count"),
            spec("report"),
            spec("who"),
            spec("fail"),
        ])
    }

    fn call(name: String, arguments: String, context: Context, settings: String) -> Result<Output, Error> {
        CALLS.set(CALLS.get() + 1);
        let arguments = parse(&arguments);
        match name.as_str() {
            "add" => {
                let sum = arguments["a"].as_f64().unwrap_or_default() + arguments["b"].as_f64().unwrap_or_default();
                let structured = Some(serde_json::json!({ "sum": sum }).to_string());
                Ok(Output { parts: vec![ResultPart::Text(sum.to_string())], structured })
            }
            "keep" => keep(&arguments).map(text).map_err(failed),
            "remember" => remember(&arguments).map(text).map_err(failed),
            "wait" => {
                std::thread::sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap_or_default()));
                Ok(text("waited".to_owned()))
            }
            "count" => Ok(text(CALLS.get().to_string())),
            "report" => {
                log::write(log::Level::Info, "half of it is done");
                progress::report(Some(0.5), "half");
                progress::report(None, "nearly");
                Ok(text("done".to_owned()))
            }
            "who" => Ok(text(format!("{:?} {:?} {settings}", context.session, context.run))),
            _ => Err(Error { kind: ErrorKind::NotFound, message: "there is nothing to be found".to_owned() }),
        }
    }
}

fn keep(arguments: &Value) -> Result<String, String> {
    let path = format!("/workspace/{}", argument(arguments, "file_path"));
    if let Some(content) = arguments["content"].as_str() {
        fs::write(&path, content).map_err(|error| format!("{path}: {error}"))?;
    }
    fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
}

fn remember(arguments: &Value) -> Result<String, String> {
    let key = argument(arguments, "key");
    let said = |error: kv::Error| format!("{error:?}");
    if let Some(value) = arguments["value"].as_str() {
        kv::set(key, value.as_bytes()).map_err(said)?;
    }
    let value = kv::get(key).map_err(said)?.unwrap_or_default();
    let keys = kv::keys("", None, 10).map_err(said)?.join(",");
    Ok(format!("{} of {keys}", String::from_utf8_lossy(&value)))
}

tool_kit::bindings::export!(Well with_types_in tool_kit::bindings);
