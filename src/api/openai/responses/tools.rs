//! Tools as the Responses API has them: functions, free text, namespaces, and those that the vendor runs itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::openai::custom;
use crate::api::openai::request::{Object, object};
use crate::api::openai::tools::EMPTY_SCHEMA;
use crate::http::Fields;
use crate::model::Result;
use crate::model::chat::{Field, Json, Tool, ToolChoice};

/// What a caller's tool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    /// It takes free text.
    Custom,
    /// It finds tools that the caller holds back.
    Search,
}

/// A tool as the caller knows it, where that differs from the function that the provider is offered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
}

/// Tools by the names under which providers are offered them.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeMap<String, Known>);

/// What is offered.
#[derive(Debug, Default)]
pub(super) struct Offer {
    pub(super) tools: Vec<Tool>,
    pub(super) native: Vec<Json>,
    pub(super) names: Names,
    /// Whether a client's habit of offering what it can do without is overlooked.
    pub(super) lenient: bool,
}

/// Tools that a coding agent offers to every model, and can do without.
const OPTIONAL: [&str; 3] = ["web_search", "web_search_preview", "image_generation"];

/// What changes nothing for a provider that knows only functions.
const HINTS: [&str; 4] = ["strict", "defer_loading", "output_schema", "allowed_callers"];

/// The function that stands for searching in tools that the caller holds back.
pub(super) const SEARCH: &str = "tool_search";

// === impl Names ===

impl Names {
    /// The tool that a provider was offered under `name`.
    pub(super) fn offered(&self, name: &str) -> Option<&Known> {
        self.0.get(name)
    }

    /// The kind of the tool that the caller calls `name`.
    pub(super) fn kind(&self, name: &str) -> Kind {
        self.0.values().find(|known| known.name == name).map_or(Kind::Function, |known| known.kind)
    }
}

// === impl Offer ===

impl Offer {
    /// Takes the tools in `list`, which stands at `path`.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub(super) fn add_all(&mut self, list: &[Box<RawValue>], path: &str, namespace: Option<&str>) -> Result<()> {
        for (index, raw) in list.iter().enumerate() {
            self.add(Fields::parse_at(raw, &format!("{path}[{index}]"))?, raw, namespace)?;
        }
        Ok(())
    }

    fn add(&mut self, mut entry: Fields, raw: &RawValue, namespace: Option<&str>) -> Result<()> {
        let kind: String = entry.require("type")?;
        match kind.as_str() {
            "function" => {
                let name = name(&mut entry)?;
                let description = entry.take("description")?;
                let parameters = object(&mut entry, "parameters")?.unwrap_or_else(|| EMPTY_SCHEMA.to_owned());
                self.push(Kind::Function, name, namespace, description, parameters, leftovers(entry));
            }
            "custom" => {
                let name = name(&mut entry)?;
                let description = custom::description(&mut entry)?;
                let parameters = custom::PARAMETERS.to_owned();
                self.push(Kind::Custom, name, namespace, description, parameters, leftovers(entry));
            }
            "namespace" => {
                let name = name(&mut entry)?;
                let path = entry.path_of("tools");
                let tools: Vec<Box<RawValue>> = entry.require("tools")?;
                self.add_all(&tools, &path, Some(&name))?;
            }
            SEARCH if entry.take::<String>("execution")?.as_deref() == Some("client") => {
                let description = entry.take("description")?;
                let parameters = object(&mut entry, "parameters")?.unwrap_or_else(|| EMPTY_SCHEMA.to_owned());
                self.push(Kind::Search, SEARCH.into(), None, description, parameters, Vec::new());
            }
            kind if self.lenient && OPTIONAL.contains(&kind) => {}
            _ => self.native.push(raw.get().to_owned()),
        }
        Ok(())
    }

    fn push(
        &mut self,
        kind: Kind,
        name: String,
        namespace: Option<&str>,
        description: Option<String>,
        parameters: Json,
        extra: Vec<Field>,
    ) {
        let offered = offered(&name, namespace);
        if kind != Kind::Function || namespace.is_some() {
            let known = Known { kind, name, namespace: namespace.map(str::to_owned) };
            self.names.0.insert(offered.clone(), known);
        }
        self.tools.push(Tool { name: offered, description, parameters, extra });
    }

    /// Takes `tool_choice`, which may leave only some of the tools.
    ///
    /// # Errors
    /// If it can't be read.
    pub(super) fn choose(&mut self, body: &mut Fields, raw: Option<&RawValue>) -> Result<Chosen> {
        let Some(raw) = raw else { return Ok(Chosen::default()) };
        let choice = match serde_json::from_str::<Choice>(raw.get()) {
            Ok(choice) if !raw.get().starts_with('[') => choice,
            _ => return Err(body.wrong("tool_choice", "expected auto, none, required, or an object with a type")),
        };
        let named = |name: &str, namespace: Option<&str>| ToolChoice::Named(offered(name, namespace));
        let wrong = |what| Err(body.wrong("tool_choice", what));
        let choice = match choice {
            Choice::Word(word) => word.into(),
            Choice::Object { kind, name: Some(name), namespace, .. } if matches!(&*kind, "function" | "custom") => {
                named(&name, namespace.as_deref())
            }
            Choice::Object { kind, .. } if matches!(&*kind, "function" | "custom") => {
                return wrong("it names no tool");
            }
            Choice::Object { kind, mode, tools, .. } if kind == "allowed_tools" => {
                let (Some(mode @ (Word::Auto | Word::Required)), Some(tools)) = (mode, tools) else {
                    return wrong("allowed_tools has a mode, auto or required, and tools");
                };
                let allowed: Vec<String> = tools
                    .iter()
                    .filter_map(|Object(tool)| Some(offered(tool.name.as_deref()?, tool.namespace.as_deref())))
                    .collect();
                self.tools.retain(|tool| allowed.contains(&tool.name));
                mode.into()
            }
            // A tool that the vendor runs itself.
            Choice::Object { .. } => {
                let extra = Field { name: "tool_choice".into(), value: raw.get().to_owned() };
                return Ok(Chosen { choice: None, extra: Some(extra) });
            }
        };
        Ok(Chosen { choice: Some(choice), extra: None })
    }
}

/// What became of `tool_choice`.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) choice: Option<ToolChoice>,
    /// The field itself, where it names what is no function.
    pub(super) extra: Option<Field>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Choice {
    Word(Word),
    Object {
        #[serde(rename = "type")]
        kind: String,
        name: Option<String>,
        namespace: Option<String>,
        mode: Option<Word>,
        tools: Option<Vec<Object<Allowed>>>,
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
struct Allowed {
    name: Option<String>,
    namespace: Option<String>,
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

/// The name under which a provider is offered a tool: functions know no namespaces.
pub(super) fn offered(name: &str, namespace: Option<&str>) -> String {
    match namespace {
        None => name.to_owned(),
        Some(namespace) if namespace.ends_with("__") => format!("{namespace}{name}"),
        Some(namespace) => format!("{namespace}__{name}"),
    }
}

fn name(entry: &mut Fields) -> Result<String> {
    let name: String = entry.require("name")?;
    if name.is_empty() { Err(entry.wrong("name", "it is empty")) } else { Ok(name) }
}

fn leftovers(entry: Fields) -> Vec<Field> {
    entry.into_extra().into_iter().filter(|field| !HINTS.contains(&field.name.as_str())).collect()
}
