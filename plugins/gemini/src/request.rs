//! Writing the body of a request.

use mortise_sdk::chat::{Reasoning, Request, ResponseFormat, Tool, ToolChoice};
use mortise_sdk::foreign;
use mortise_sdk::json::{Array, Object};
use mortise_sdk::provider::Error;

use crate::config::Settings;
use crate::contents::Contents;
use crate::{model, names};

pub(crate) fn body(request: &Request, settings: &Settings) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    write(&mut Object::open(&mut bytes), request, settings)?;
    Ok(bytes)
}

/// The same, wrapped up for counting.
pub(crate) fn counting(request: &Request, settings: &Settings) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut outer = Object::open(&mut bytes);
    let mut body = outer.object("generateContentRequest");
    body.put("model", &model::resource(&request.model));
    write(&mut body, request, settings)?;
    drop(body);
    drop(outer);
    Ok(bytes)
}

fn write(body: &mut Object<'_>, request: &Request, settings: &Settings) -> Result<(), Error> {
    check(request)?;
    let contents = Contents::of(&request.messages, &request.model)?;
    contents.write(&mut body.array("contents"))?;
    if !contents.system.is_empty() {
        let mut instruction = body.object("systemInstruction");
        let mut parts = instruction.array("parts");
        for text in &contents.system {
            parts.object().put("text", *text);
        }
    }
    if !request.tools.is_empty() {
        let mut tools = body.array("tools");
        write_tools(&mut tools.object().array("functionDeclarations"), &request.tools)?;
    }
    write_choice(body, request)?;
    let mut config = Vec::new();
    write_config(&mut Object::open(&mut config), request, settings)?;
    if config != b"{}" {
        body.raw("generationConfig", &String::from_utf8_lossy(&config))?;
    }
    if !settings.safety.is_empty() {
        let mut list = body.array("safetySettings");
        for (category, threshold) in &settings.safety {
            list.object().put("category", category).put("threshold", threshold);
        }
    }
    Ok(())
}

/// Refuses what the API has nothing for.
fn check(request: &Request) -> Result<(), Error> {
    request.extra.iter().try_for_each(|field| foreign::check("Gemini", "request", field))?;
    if let Some(tool) = request.native_tools.first() {
        let value: serde_json::Value = serde_json::from_str(tool).unwrap_or_default();
        let kind = value.get("type").or_else(|| value.get("name")).and_then(|kind| kind.as_str()).unwrap_or("?");
        return Err(Error::unsupported(format!("the tool `{kind}` means nothing to Gemini: send functions")));
    }
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        return Err(Error::unsupported(
            "`parallel_tool_calls` can't be switched off for Gemini: leave it out, and expect several calls at once",
        ));
    }
    Ok(())
}

fn write_tools(list: &mut Array<'_>, tools: &[Tool]) -> Result<(), Error> {
    for tool in tools {
        tool.extra.iter().try_for_each(|field| foreign::check("Gemini", "tool", field))?;
        let mut function = list.object();
        function.put("name", &*names::name(&tool.name));
        function.put_some("description", tool.description.as_deref());
        // A function without parameters has no schema.
        if tool.parameters.trim() != "{}" {
            let what = format_args!("`parameters` of the tool `{}`", tool.name);
            function.raw_named("parametersJsonSchema", what, &tool.parameters)?;
        }
    }
    Ok(())
}

fn write_choice(body: &mut Object<'_>, request: &Request) -> Result<(), Error> {
    let (mode, only) = match &request.tool_choice {
        None => return Ok(()),
        // The API takes no choice among nothing.
        Some(ToolChoice::Auto | ToolChoice::Never) if request.tools.is_empty() => return Ok(()),
        Some(_) if request.tools.is_empty() => {
            return Err(Error::invalid("`tool_choice` asks for a call, but there are no `tools`"));
        }
        Some(ToolChoice::Auto) => ("AUTO", None),
        Some(ToolChoice::Never) => ("NONE", None),
        Some(ToolChoice::Required) => ("ANY", None),
        Some(ToolChoice::Named(name)) => ("ANY", Some(name)),
    };
    let mut config = body.object("toolConfig");
    let mut calling = config.object("functionCallingConfig");
    calling.put("mode", mode);
    if let Some(name) = only {
        calling.array("allowedFunctionNames").put(&*names::name(name));
    }
    Ok(())
}

fn write_config(config: &mut Object<'_>, request: &Request, settings: &Settings) -> Result<(), Error> {
    config.put_some("maxOutputTokens", request.max_tokens);
    config.put_some("temperature", request.temperature);
    config.put_some("topP", request.top_p);
    config.put_some("topK", request.top_k);
    config.put_some("frequencyPenalty", request.frequency_penalty);
    config.put_some("presencePenalty", request.presence_penalty);
    if !request.stop.is_empty() {
        let mut stop = config.array("stopSequences");
        for sequence in &request.stop {
            stop.put(sequence);
        }
    }
    if request.seed.is_some_and(|seed| i32::try_from(seed).is_err()) {
        return Err(Error::invalid("`seed` must fit into 32 bits for Gemini"));
    }
    config.put_some("seed", request.seed);
    match &request.response_format {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => drop(config.put("responseMimeType", "application/json")),
        Some(ResponseFormat::JsonSchema(schema)) => {
            config.put("responseMimeType", "application/json").raw("responseJsonSchema", &schema.schema)?;
        }
    }
    write_thinking(config, request, settings)
}

fn write_thinking(config: &mut Object<'_>, request: &Request, settings: &Settings) -> Result<(), Error> {
    let model = request.model.as_str();
    let Some(reasoning) = &request.reasoning else {
        if settings.include_thoughts {
            config.object("thinkingConfig").put("includeThoughts", true);
        }
        return Ok(());
    };
    let mut thinking = config.object("thinkingConfig");
    let off = match (reasoning, model::is_third_generation(model)) {
        (Reasoning::Effort(word), false) => {
            let budget = budget(word)?;
            thinking.put("thinkingBudget", budget);
            budget == 0
        }
        (Reasoning::Budget(budget), false) => {
            thinking.put("thinkingBudget", *budget);
            *budget == 0
        }
        (reasoning, true) => {
            let level = match reasoning {
                Reasoning::Effort(word) => level(word)?,
                Reasoning::Budget(0) => "minimal",
                Reasoning::Budget(1..=2048) => "low",
                Reasoning::Budget(2049..=8192) => "medium",
                Reasoning::Budget(_) => "high",
            };
            // The large ones can't think as little as that.
            let level = if level == "minimal" && model::always_thinks(model) { "low" } else { level };
            thinking.put("thinkingLevel", level);
            matches!(reasoning, Reasoning::Budget(0)) || matches!(reasoning, Reasoning::Effort(word) if word == "none")
        }
    };
    if !off {
        thinking.put("includeThoughts", true);
    }
    Ok(())
}

/// The API's own reading of OpenAI's words, in its OpenAI-compatible form.
fn budget(effort: &str) -> Result<u32, Error> {
    Ok(match level(effort)? {
        _ if effort == "none" => 0,
        "minimal" | "low" => 1024,
        "medium" => 8192,
        _ => 24_576,
    })
}

fn level(effort: &str) -> Result<&'static str, Error> {
    Ok(match effort {
        "none" | "minimal" => "minimal",
        "low" => "low",
        "medium" => "medium",
        "high" | "xhigh" | "max" => "high",
        other => {
            return Err(Error::unsupported(format!(
                "`reasoning_effort` must be none, minimal, low, medium or high, not `{other}`"
            )));
        }
    })
}
