//! Tools as chat completions have them: functions, tools of free text, and `functions` from before there were tools.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::custom;
use super::request::{Object, object};
use crate::http::Fields;
use crate::model::Result;
use crate::model::chat::{Json, Tool, ToolChoice};

/// What is offered.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) tools: Vec<Tool>,
    pub(super) native: Vec<Json>,
    pub(super) choice: Option<ToolChoice>,
    pub(super) style: Style,
}

/// How the caller wants calls written.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// Tools that take free text.
    custom: BTreeSet<String>,
    /// The caller offered `functions`, and reads `function_call`.
    pub(super) legacy: bool,
}

/// What a function without parameters takes.
pub(super) const EMPTY_SCHEMA: &str = r#"{"type":"object","properties":{}}"#;

// === impl Style ===

impl Style {
    /// Whether the tool takes free text.
    pub(super) fn is_custom(&self, name: &str) -> bool {
        self.custom.contains(name)
    }
}

// === impl Offer ===

impl Offer {
    /// Takes everything about tools but whether several may be called at once.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub(super) fn read(body: &mut Fields) -> Result<Self> {
        let mut offer = Self::default();
        for (index, raw) in body.take::<Vec<Box<RawValue>>>("tools")?.unwrap_or_default().into_iter().enumerate() {
            offer.add(Fields::parse_at(&raw, &format!("tools[{index}]"))?, &raw)?;
        }
        offer.choose(body)?;
        if let Some(functions) = body.take_objects("functions")? {
            if !offer.tools.is_empty() {
                return Err(body.wrong("functions", "there are `tools` already; put all of them there"));
            }
            offer.style.legacy = true;
            for function in functions {
                offer.tools.push(read_function(function)?);
            }
        }
        let choice = legacy_choice(body)?;
        if offer.style.legacy {
            offer.choice = choice;
        }
        Ok(offer)
    }

    fn add(&mut self, mut entry: Fields, raw: &RawValue) -> Result<()> {
        let kind: String = entry.require("type")?;
        match kind.as_str() {
            "function" => {
                let function = entry.take_object("function")?.ok_or_else(|| entry.missing("function"))?;
                let mut tool = read_function(function)?;
                tool.extra.extend(entry.into_extra());
                self.tools.push(tool);
            }
            "custom" => {
                let mut tool = entry.take_object("custom")?.ok_or_else(|| entry.missing("custom"))?;
                let name = read_name(&mut tool)?;
                let description = custom::description(&mut tool)?;
                self.style.custom.insert(name.clone());
                let extra = entry.into_extra();
                self.tools.push(Tool { name, description, parameters: custom::PARAMETERS.to_owned(), extra });
            }
            // One that the vendor runs itself.
            _ => self.native.push(raw.get().to_owned()),
        }
        Ok(())
    }

    /// Takes `tool_choice`, which may leave only some of the tools.
    fn choose(&mut self, body: &mut Fields) -> Result<()> {
        let Some(raw) = body.take_raw("tool_choice") else { return Ok(()) };
        let choice = Some(raw.get()).filter(|text| !text.starts_with('['));
        let choice =
            choice.and_then(|text| serde_json::from_str::<Choice>(text).ok()).and_then(|choice| match choice {
                Choice::Word(word) => Some((word.into(), None)),
                Choice::Named { kind: None | Some(Kind::Function), function: Some(tool), .. }
                | Choice::Named { kind: Some(Kind::Custom), custom: Some(tool), .. } => {
                    Some((ToolChoice::Named(tool.name), None))
                }
                Choice::Named {
                    kind: Some(Kind::AllowedTools), allowed_tools: Some(Allowed { mode, tools }), ..
                } => {
                    let mode = match mode {
                        Word::None => return None,
                        mode => mode.into(),
                    };
                    let names = tools.into_iter().filter_map(|Object(tool)| tool.function.or(tool.custom));
                    Some((mode, Some(names.map(|tool| tool.name).collect::<Vec<_>>())))
                }
                Choice::Named { .. } => None,
            });
        let Some((choice, allowed)) = choice else {
            let what = "expected auto, none, required, {\"type\":\"function\",\"function\":{\"name\":…}}, the same with \
                        custom, or {\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":…,\"tools\":[…]}}";
            return Err(body.wrong("tool_choice", what));
        };
        self.choice = Some(choice);
        if let Some(allowed) = allowed {
            self.tools.retain(|tool| allowed.contains(&tool.name));
        }
        Ok(())
    }
}

fn read_function(mut function: Fields) -> Result<Tool> {
    Ok(Tool {
        name: read_name(&mut function)?,
        description: function.take("description")?,
        parameters: object(&mut function, "parameters")?.unwrap_or_else(|| EMPTY_SCHEMA.to_owned()),
        extra: function.into_extra(),
    })
}

fn read_name(tool: &mut Fields) -> Result<String> {
    let name: String = tool.require("name")?;
    if name.is_empty() { Err(tool.wrong("name", "it is empty")) } else { Ok(name) }
}

/// Takes `function_call`.
fn legacy_choice(body: &mut Fields) -> Result<Option<ToolChoice>> {
    let Some(raw) = body.take_raw("function_call") else { return Ok(None) };
    Ok(Some(match raw.get() {
        "\"auto\"" => ToolChoice::Auto,
        "\"none\"" => ToolChoice::Never,
        text if text.starts_with('{') => {
            ToolChoice::Named(Fields::parse_at(&raw, &body.path_of("function_call"))?.require("name")?)
        }
        _ => return Err(body.wrong("function_call", "expected auto, none or {\"name\":…}")),
    }))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Choice {
    Word(Word),
    Named {
        #[serde(rename = "type")]
        kind: Option<Kind>,
        function: Option<Name>,
        custom: Option<Name>,
        allowed_tools: Option<Allowed>,
    },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Auto,
    None,
    Required,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Function,
    Custom,
    AllowedTools,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Allowed {
    mode: Word,
    tools: Vec<Object<AllowedTool>>,
}

#[derive(Deserialize)]
struct AllowedTool {
    function: Option<Name>,
    custom: Option<Name>,
}

impl From<Word> for ToolChoice {
    fn from(word: Word) -> Self {
        match word {
            Word::Auto => Self::Auto,
            Word::None => Self::Never,
            Word::Required => Self::Required,
        }
    }
}
