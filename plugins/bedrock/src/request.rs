//! Writing the body of a request.

use std::collections::BTreeSet;

use mortise_sdk::chat::{Part, Reasoning, Request, ResponseFormat, ToolChoice};
use mortise_sdk::json::{self, Object};
use mortise_sdk::provider::Error;

use crate::fit;
use crate::messages;

/// Fields of other dialects that are about their vendors' bookkeeping, or ask for what this vendor does anyway.
const HINTS: [&str; 9] = [
    "anthropic_beta",
    "cache_control",
    "metadata",
    "prompt_cache_key",
    "safety_identifier",
    "service_tier",
    "store",
    "stream_options",
    "truncation",
];
/// The least budget that Anthropic's models take.
const LEAST_BUDGET: u32 = 1024;

pub(crate) fn body(request: &Request) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(1024);
    let mut body = Object::open(&mut bytes);
    conversation(&mut body, request)?;
    refuse(request)?;
    let mut limits = body.object("inferenceConfig");
    limits.put_some("maxTokens", request.max_tokens);
    limits.put_some("temperature", request.temperature);
    limits.put_some("topP", request.top_p);
    if !request.stop.is_empty() {
        let mut stop = limits.array("stopSequences");
        for sequence in &request.stop {
            stop.put(sequence);
        }
    }
    drop(limits);
    write_own_fields(&mut body, request)?;
    if let Some(format) = &request.response_format {
        write_format(&mut body, format)?;
    }
    drop(body);
    Ok(bytes)
}

/// The body of a request that only counts.
pub(crate) fn count_body(request: &Request) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(1024);
    let mut body = Object::open(&mut bytes);
    let mut input = body.object("input");
    let mut converse = input.object("converse");
    conversation(&mut converse, request)?;
    drop(converse);
    drop(input);
    drop(body);
    Ok(bytes)
}

fn conversation(body: &mut Object<'_>, request: &Request) -> Result<(), Error> {
    messages::write(body, request)?;
    write_tools(body, request)
}

/// Names what this vendor has no word for.
fn refuse(request: &Request) -> Result<(), Error> {
    let fields = [
        ("frequency_penalty", request.frequency_penalty.is_some_and(|value| value != 0.0)),
        ("presence_penalty", request.presence_penalty.is_some_and(|value| value != 0.0)),
        ("seed", request.seed.is_some()),
        ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
        ("tools", !request.native_tools.is_empty()),
    ];
    let known = fields.iter().find(|(_, set)| *set).map(|(name, _)| *name);
    let unknown = request.extra.iter().map(|field| field.name.as_str()).find(|name| !HINTS.contains(name));
    match known.or(unknown) {
        Some(name) => Err(Error::unsupported(format!("`{name}` means nothing to this vendor: leave it out"))),
        None => Ok(()),
    }
}

fn write_tools(body: &mut Object<'_>, request: &Request) -> Result<(), Error> {
    // Without any tool the vendor takes no conversation in which some were called.
    let called: BTreeSet<&str> = match request.tools.is_empty() {
        true => request
            .messages
            .iter()
            .flat_map(|message| &message.parts)
            .filter_map(|part| if let Part::Call(call) = part { Some(call.name.as_str()) } else { None })
            .collect(),
        false => BTreeSet::new(),
    };
    if request.tools.is_empty() && called.is_empty()
        || request.tool_choice == Some(ToolChoice::Never) && called.is_empty()
    {
        return Ok(());
    }
    let mut config = body.object("toolConfig");
    let mut tools = config.array("tools");
    for name in called {
        let mut tool = tools.object();
        let mut spec = tool.object("toolSpec");
        spec.put("name", &*fit(name)).put("description", "no longer there; don't call it");
        spec.object("inputSchema").object("json").put("type", "object");
    }
    for tool in &request.tools {
        let mut outer = tools.object();
        let mut spec = outer.object("toolSpec");
        spec.put("name", &*fit(&tool.name));
        spec.put_some("description", tool.description.as_deref().filter(|text| !text.is_empty()));
        let what = format_args!("`parameters` of the tool `{}`", tool.name);
        spec.object("inputSchema").raw_named("json", what, &tool.parameters)?;
        let strict = tool.extra.iter().any(|field| field.name == "strict" && field.value.trim() == "true");
        spec.put_some("strict", strict.then_some(true));
    }
    drop(tools);
    match &request.tool_choice {
        Some(ToolChoice::Auto) => drop(config.object("toolChoice").object("auto")),
        Some(ToolChoice::Required) => drop(config.object("toolChoice").object("any")),
        Some(ToolChoice::Named(name)) => {
            config.object("toolChoice").object("tool").put("name", &*fit(name));
        }
        Some(ToolChoice::Never) | None => {}
    }
    Ok(())
}

/// What only some vendors' models take.
fn write_own_fields(body: &mut Object<'_>, request: &Request) -> Result<(), Error> {
    let budget = match &request.reasoning {
        None | Some(Reasoning::Budget(0)) => None,
        Some(Reasoning::Effort(word)) if matches!(word.as_str(), "none" | "minimal") => None,
        Some(Reasoning::Budget(tokens)) => Some((*tokens).max(LEAST_BUDGET)),
        Some(Reasoning::Effort(word)) => match word.as_str() {
            "low" => Some(LEAST_BUDGET),
            "medium" => Some(4 * LEAST_BUDGET),
            "high" | "xhigh" | "max" => Some(16 * LEAST_BUDGET),
            _ => return Err(Error::invalid(format!("`{word}` is no effort for this vendor: low, medium or high"))),
        },
    };
    if budget.is_some() && !request.model.contains("anthropic.") {
        return Err(Error::unsupported("reasoning can't be asked of this model: leave it out"));
    }
    if budget.is_none() && request.top_k.is_none() {
        return Ok(());
    }
    let mut fields = body.object("additionalModelRequestFields");
    fields.put_some("top_k", request.top_k);
    if let Some(budget) = budget {
        fields.object("thinking").put("type", "enabled").put("budget_tokens", budget);
    }
    Ok(())
}

fn write_format(body: &mut Object<'_>, format: &ResponseFormat) -> Result<(), Error> {
    match format {
        ResponseFormat::Text => Ok(()),
        ResponseFormat::JsonObject => Err(Error::unsupported(
            "`response_format` of the type `json_object` means nothing to this vendor: give a schema",
        )),
        ResponseFormat::JsonSchema(schema) => {
            let mut config = body.object("outputConfig");
            let mut text = config.object("textFormat");
            text.put("type", "json_schema");
            let mut structure = text.object("structure");
            let mut inner = structure.object("jsonSchema");
            // The vendor wants the schema as a string.
            inner.put("schema", json::check("`schema`", &schema.schema)?);
            inner.put_some("name", schema.name.as_deref());
            inner.put_some("description", schema.description.as_deref());
            Ok(())
        }
    }
}
