//! Writing the body of a chat request.

use mortise_sdk::chat::{Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use mortise_sdk::foreign;
use mortise_sdk::json::{Array, Object};
use mortise_sdk::provider::Error;
use serde_json::Value;

use crate::config::{KeepAlive, Settings};
use crate::messages;

/// Models that think in levels; all others think or don't.
const LEVELS: &str = "gpt-oss";

pub(crate) fn body(request: &Request, settings: &Settings) -> Result<Vec<u8>, Error> {
    check(request)?;
    let mut bytes = Vec::new();
    let mut body = Object::open(&mut bytes);
    body.put("model", &request.model);
    messages::write(&mut body.array("messages"), &request.messages)?;
    // Who must not call has no tools.
    if !request.tools.is_empty() && !matches!(request.tool_choice, Some(ToolChoice::Never)) {
        write_tools(&mut body.array("tools"), &request.tools)?;
    }
    match &request.response_format {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => drop(body.put("format", "json")),
        Some(ResponseFormat::JsonSchema(schema)) => drop(body.raw("format", &schema.schema)?),
    }
    if let Some(reasoning) = &request.reasoning {
        write_think(&mut body, &request.model, reasoning)?;
    }
    write_options(&mut body, &options(request, settings))?;
    write_keep_alive(&mut body, settings);
    // The API streams unless it is told not to.
    body.put("stream", request.streaming);
    drop(body);
    Ok(bytes)
}

/// Refuses what the API has nothing for.
fn check(request: &Request) -> Result<(), Error> {
    request.extra.iter().try_for_each(|field| foreign::check("Ollama", "request", field))?;
    if let Some(tool) = request.native_tools.first() {
        let value: Value = serde_json::from_str(tool).unwrap_or_default();
        let kind = value.get("type").or_else(|| value.get("name")).and_then(|kind| kind.as_str()).unwrap_or("?");
        return Err(Error::unsupported(format!("the tool `{kind}` means nothing to Ollama: send functions")));
    }
    if matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_))) {
        return Err(Error::unsupported("`tool_choice` can't force a call with Ollama: send auto or none"));
    }
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        return Err(Error::unsupported(
            "`parallel_tool_calls` can't be switched off for Ollama: leave it out, and expect several calls at once",
        ));
    }
    if request.messages.is_empty() {
        // It would only load the model.
        return Err(Error::invalid("`messages` is empty"));
    }
    Ok(())
}

fn write_tools(list: &mut Array<'_>, tools: &[Tool]) -> Result<(), Error> {
    for tool in tools {
        tool.extra.iter().try_for_each(|field| foreign::check("Ollama", "tool", field))?;
        let mut outer = list.object();
        outer.put("type", "function");
        let mut function = outer.object("function");
        function.put("name", &tool.name).put_some("description", tool.description.as_deref());
        let what = format_args!("`parameters` of the tool `{}`", tool.name);
        // Its templates read the type.
        let parameters = if tool.parameters.trim() == "{}" { NO_PARAMETERS } else { &tool.parameters };
        function.raw_named("parameters", what, parameters)?;
    }
    Ok(())
}

const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

fn write_think(body: &mut Object<'_>, model: &str, reasoning: &Reasoning) -> Result<(), Error> {
    let level = match reasoning {
        Reasoning::Effort(word) => match word.as_str() {
            "none" => None,
            "minimal" | "low" => Some("low"),
            "medium" => Some("medium"),
            "high" | "xhigh" | "max" => Some("high"),
            other => {
                return Err(Error::unsupported(format!(
                    "`reasoning_effort` must be none, minimal, low, medium or high, not `{other}`"
                )));
            }
        },
        Reasoning::Budget(0) => None,
        Reasoning::Budget(1..=2048) => Some("low"),
        Reasoning::Budget(2049..=8192) => Some("medium"),
        Reasoning::Budget(_) => Some("high"),
    };
    match level {
        Some(level) if model.contains(LEVELS) => body.put("think", level),
        level => body.put("think", level.is_some()),
    };
    Ok(())
}

/// The operator's options under those that the caller asks for.
fn options(request: &Request, settings: &Settings) -> Vec<(String, Value)> {
    let stop = (!request.stop.is_empty()).then(|| Value::from(request.stop.clone()));
    let asked = [
        ("num_predict", request.max_tokens.map(Value::from)),
        ("temperature", request.temperature.map(Value::from)),
        ("top_p", request.top_p.map(Value::from)),
        ("top_k", request.top_k.map(Value::from)),
        ("frequency_penalty", request.frequency_penalty.map(Value::from)),
        ("presence_penalty", request.presence_penalty.map(Value::from)),
        ("stop", stop),
        ("seed", request.seed.map(Value::from)),
    ];
    let mut options: Vec<_> = settings.options.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, value) in asked {
        if let Some(value) = value {
            options.retain(|(known, _)| known != name);
            options.push((name.to_owned(), value));
        }
    }
    options
}

pub(crate) fn write_options(body: &mut Object<'_>, options: &[(String, Value)]) -> Result<(), Error> {
    if options.is_empty() {
        return Ok(());
    }
    let mut object = body.object("options");
    options.iter().try_for_each(|(name, value)| object.raw(name, &value.to_string()).map(drop))
}

pub(crate) fn write_keep_alive(body: &mut Object<'_>, settings: &Settings) {
    match &settings.keep_alive {
        None => {}
        Some(KeepAlive::Seconds(seconds)) => drop(body.put("keep_alive", *seconds)),
        Some(KeepAlive::Duration(text)) => drop(body.put("keep_alive", text)),
    }
}
