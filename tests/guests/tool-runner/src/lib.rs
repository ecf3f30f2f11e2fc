//! Starts whatever program it is told to.
//!
//! The host decides which, and keeps them in: their files, their network, their time, memory and number, and what they leave
//! behind.

use serde_json::Value;
use tool_kit::{Context, Tools, argument, process};

struct Runner;

impl Tools for Runner {
    const NAMES: &'static [&'static str] = &["run"];

    fn call(_: &str, arguments: &Value, _: &Context) -> Result<String, String> {
        let told = arguments["arguments"].as_array().into_iter().flatten();
        let command = process::Command {
            program: argument(arguments, "program").to_owned(),
            arguments: told.filter_map(Value::as_str).map(str::to_owned).collect(),
            directory: arguments["directory"].as_str().map(str::to_owned),
            stdin: argument(arguments, "stdin").as_bytes().to_vec(),
            timeout_ms: arguments["timeout_ms"].as_u64().unwrap_or_default().try_into().unwrap_or_default(),
        };
        let done = process::run(&command).map_err(|error| format!("{error:?}"))?;
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        Ok(format!("code {:?} truncated {}\n{out}{err}", done.code, done.truncated))
    }
}

tool_kit::tools!(Runner);
