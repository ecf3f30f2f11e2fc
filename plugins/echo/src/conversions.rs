//! From a request to the script of its answer.

use mortise_sdk::chat::{Field, Part, Reasoning, Request, ResponseFormat, StopReason, Tool, ToolChoice};
use mortise_sdk::provider::Error;
use serde_json::{Value, json};

use crate::client::REASONING;
use crate::directives::{self, Directive, Piece};
use crate::prompt::{self, Prompt};
use crate::schema;
use crate::script::{Kind, Script, Step};

/// The most characters that repeating may make of a text.
const LONGEST: usize = 256 * 1024;

pub(crate) fn script(request: &Request) -> Result<Script, Error> {
    request.extra.iter().try_for_each(check_extra)?;
    request.native_tools.iter().try_for_each(|tool| refuse_native(tool))?;
    let prompt = prompt::of(request);
    let pieces = if prompt.obeyed { directives::read(&prompt.text)? } else { vec![Piece::Text(prompt.text.clone())] };
    let mut plan = Plan::read(pieces, earlier_calls(request));
    plan.call_what_is_required(request)?;
    plan.check_calls(request)?;
    if plan.calls == 0 {
        plan.format(request, &prompt)?;
    }
    plan.repeat()?;
    let mut script = Script::new(plan.thinking(request), plan.stop);
    script.stop_at(&request.stop);
    if let Some(tokens) = request.max_tokens {
        script.limit(tokens.into());
    }
    Ok(script)
}

/// What the directives and the text come to.
struct Plan {
    /// Thinking, with the wait that was in force where it stood.
    thoughts: Vec<Step>,
    steps: Vec<Step>,
    stop: Option<StopReason>,
    rounds: u32,
    calls: usize,
    earlier_calls: usize,
}

impl Plan {
    fn read(pieces: Vec<Piece>, earlier_calls: usize) -> Self {
        let mut plan = Self { thoughts: Vec::new(), steps: Vec::new(), stop: None, rounds: 1, calls: 0, earlier_calls };
        let mut wait = 0;
        for piece in pieces {
            match piece {
                Piece::Text(text) => plan.speak(Kind::Text, text),
                Piece::Directive(Directive::Think(text)) => plan.think(text, wait),
                Piece::Directive(Directive::Tool { name, arguments }) => plan.call(name, arguments),
                Piece::Directive(Directive::Wait(milliseconds)) => {
                    wait = milliseconds;
                    plan.steps.push(Step::Wait(milliseconds));
                }
                Piece::Directive(Directive::Fail(error)) => plan.steps.push(Step::Fail(error)),
                Piece::Directive(Directive::Stop(reason)) => plan.stop = Some(reason),
                Piece::Directive(Directive::Repeat(times)) => plan.rounds = times,
                Piece::Directive(Directive::Refuse(text)) => plan.speak(Kind::Refusal, text),
            }
        }
        plan
    }

    fn speak(&mut self, kind: Kind, text: String) {
        if !text.is_empty() {
            self.steps.push(Step::Words(kind, text));
        }
    }

    fn think(&mut self, text: String, wait: u32) {
        if let Some(Step::Words(_, before)) = self.thoughts.last_mut() {
            before.push(' ');
        }
        if wait > 0 {
            self.thoughts.push(Step::Wait(wait));
        }
        if !text.is_empty() {
            self.thoughts.push(Step::Words(Kind::Thinking, text));
        }
        if wait > 0 {
            self.thoughts.push(Step::Wait(0));
        }
    }

    /// Ids go on counting where the conversation's earlier calls end, so that none comes twice.
    fn call(&mut self, name: String, arguments: String) {
        self.calls += 1;
        let id = format!("call_{}", self.earlier_calls + self.calls);
        self.steps.push(Step::Call { id, name, arguments });
    }

    fn call_what_is_required(&mut self, request: &Request) -> Result<(), Error> {
        let tool = match &request.tool_choice {
            _ if self.calls > 0 => return Ok(()),
            None | Some(ToolChoice::Auto | ToolChoice::Never) => return Ok(()),
            Some(ToolChoice::Required) => request
                .tools
                .first()
                .ok_or_else(|| Error::invalid("a tool call is required, but there are no tools"))?,
            Some(ToolChoice::Named(name)) => find(request, name)?,
        };
        let parameters = serde_json::from_str(&tool.parameters)
            .map_err(|error| Error::invalid(format!("`parameters` of the tool `{}`: {error}", tool.name)))?;
        self.call(tool.name.clone(), schema::least(&parameters).to_string());
        Ok(())
    }

    fn check_calls(&self, request: &Request) -> Result<(), Error> {
        for step in &self.steps {
            if let Step::Call { name, .. } = step {
                find(request, name)?;
            }
        }
        match (self.calls, &request.tool_choice, request.parallel_tool_calls) {
            (1.., Some(ToolChoice::Never), _) => {
                Err(Error::invalid("the request forbids tool calls, but its text tells echo to make one"))
            }
            (2.., _, Some(false)) => {
                Err(Error::invalid("the request forbids parallel tool calls, but its text tells echo to make several"))
            }
            _ => Ok(()),
        }
    }

    /// Puts JSON in the place of the text, if that was asked for.
    fn format(&mut self, request: &Request, prompt: &Prompt) -> Result<(), Error> {
        let value = match &request.response_format {
            None | Some(ResponseFormat::Text) => return Ok(()),
            Some(ResponseFormat::JsonObject) => {
                let text = self.steps.iter().filter_map(Step::said).collect::<String>();
                json!({ "echo": if prompt.obeyed { text.trim_end() } else { prompt.text.as_str() } })
            }
            Some(ResponseFormat::JsonSchema(format)) => {
                let schema: Value = serde_json::from_str(&format.schema)
                    .map_err(|error| Error::invalid(format!("the schema of the response format: {error}")))?;
                schema::least(&schema)
            }
        };
        self.steps.retain(|step| step.said().is_none());
        self.speak(Kind::Text, value.to_string());
        Ok(())
    }

    fn repeat(&mut self) -> Result<(), Error> {
        if self.rounds == 1 {
            return Ok(());
        }
        let texts: Vec<Step> = self.steps.iter().filter(|step| step.said().is_some()).cloned().collect();
        let length: usize = texts.iter().filter_map(Step::said).map(str::len).sum();
        if self.rounds == 0 {
            self.steps.retain(|step| step.said().is_none());
        }
        if length.saturating_mul(self.rounds as usize) > LONGEST {
            return Err(Error::invalid(format!("repeating makes more than {LONGEST} characters: repeat less often")));
        }
        for _ in 1..self.rounds {
            if let Some(Step::Words(_, last)) = self.steps.iter_mut().rfind(|step| step.said().is_some())
                && !last.ends_with(char::is_whitespace)
            {
                last.push(' ');
            }
            self.steps.extend(texts.iter().cloned());
        }
        Ok(())
    }

    /// All steps, thinking first.
    fn thinking(&mut self, request: &Request) -> Vec<Step> {
        let off = match &request.reasoning {
            Some(Reasoning::Budget(budget)) => *budget == 0,
            Some(Reasoning::Effort(word)) => word == "none",
            None => false,
        };
        if self.thoughts.is_empty() && request.model == REASONING && !off {
            let said: u64 = self.steps.iter().filter(|step| step.said().is_some()).map(Step::tokens).sum();
            self.think(format!("There are {said} words to give back."), 0);
        }
        let mut steps = std::mem::take(&mut self.thoughts);
        steps.append(&mut self.steps);
        steps
    }
}

fn find<'a>(request: &'a Request, name: &str) -> Result<&'a Tool, Error> {
    request.tools.iter().find(|tool| tool.name == name).ok_or_else(|| {
        let names: Vec<_> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
        Error::invalid(match names.as_slice() {
            [] => format!("the request has no tool `{name}`; it has no tools at all"),
            names => format!("the request has no tool `{name}`; its tools are {}", names.join(", ")),
        })
    })
}

fn earlier_calls(request: &Request) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    parts.filter(|part| matches!(part, Part::Call(_))).count()
}

/// Fields that would change the answer's form. Others tell how to choose words, and echo has no choice.
fn check_extra(field: &Field) -> Result<(), Error> {
    match (field.name.as_str(), field.value.trim()) {
        ("n", "1" | "null") | ("logprobs", "false" | "null") => Ok(()),
        (name @ ("n" | "logprobs"), value) => Err(Error::unsupported(format!("echo can't do `{name}`: {value}"))),
        _ => Ok(()),
    }
}

/// Tools that a vendor runs itself: there is none here.
fn refuse_native(tool: &str) -> Result<(), Error> {
    let tool: Value = serde_json::from_str(tool).unwrap_or_default();
    let kind = tool.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
    Err(Error::unsupported(format!("echo can't do the tool `{kind}`: it knows functions only")))
}
