//! Says of its tools what no host can publish: a name that no model can call.
//!
//! Loading must refuse it, naming the tool and what is wrong with it.

use serde_json::Value;
use tool_kit::{Context, Tools};

struct Liar;

impl Tools for Liar {
    const NAMES: &'static [&'static str] = &["fine", "not a name"];

    fn call(_: &str, _: &Value, _: &Context) -> Result<String, String> {
        Ok("nobody can call me".to_owned())
    }
}

tool_kit::tools!(Liar);
