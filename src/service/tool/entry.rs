//! The tools that there are, by name: whose they are, what they may do, and what checks their arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use crate::model::plugin::{Origin, Rights};
use crate::model::tool::Spec;
use crate::plugin::Tool;
use crate::plugin::catalog::{Published, Snapshot};

/// All tools, in the order of their names.
#[derive(Default)]
pub struct Entries {
    by_name: BTreeMap<String, Entry>,
}

/// One tool.
pub struct Entry {
    /// What callers and models call it: its own name, unless another plugin's tool has that.
    pub name: String,
    /// What it says of itself; its name there is what its plugin knows it by.
    pub spec: Spec,
    /// The schema of its arguments, as models and people are shown it.
    pub schema: Value,
    /// Other names of arguments, and what they are called here.
    pub(super) aliases: Vec<(String, String)>,
    /// The plugin that brings it.
    pub plugin: String,
    /// That plugin's version.
    pub version: String,
    /// Where that plugin came from.
    pub origin: Origin,
    /// What that plugin may do.
    pub grants: Rights,
    pub(super) tool: Arc<dyn Tool>,
    pub(super) validator: Validator,
}

/// The keyword under which an argument's other names stand.
const ALIASES: &str = "x-aliases";

// === impl Entries ===

impl Entries {
    /// The tools of all plugins in `snapshot`. Where two bring one of the same name, a bundled plugin keeps it, else the one
    /// whose id comes first; the other's is called `plugin_tool`.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut plugins: Vec<(&String, &Arc<Published>)> =
            snapshot.entries.iter().filter_map(|(id, entry)| Some((id, entry.published.as_ref()?))).collect();
        plugins.sort_by_key(|(_, published)| published.origin != Origin::Bundled);
        let mut entries = Self::default();
        for (id, published) in plugins {
            let Some(tool) = published.tool() else { continue };
            for spec in tool.specs() {
                entries.add(id, published, tool, spec);
            }
        }
        entries
    }

    fn add(&mut self, id: &str, published: &Published, tool: &Arc<dyn Tool>, spec: &Spec) {
        // Both were tried when the plugin was loaded.
        let Ok((mut schema, validator)) = compile(&spec.input_schema) else { return };
        let aliases = aliases(&mut schema);
        let spec = &Spec { input_schema: schema.to_string(), ..spec.clone() };
        let name = match self.by_name.contains_key(&spec.name) {
            false => spec.name.clone(),
            true => format!("{}_{}", id.replace('-', "_"), spec.name),
        };
        let entry = Entry {
            name: name.clone(),
            spec: spec.clone(),
            schema,
            aliases,
            plugin: id.to_owned(),
            version: published.manifest.version.clone(),
            origin: published.origin,
            grants: published.grants.granted.clone(),
            tool: tool.clone(),
            validator,
        };
        self.by_name.entry(name).or_insert(entry);
    }

    /// The tool `name`.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.by_name.values()
    }

    /// What sorts of tools there are, each once.
    pub fn categories(&self) -> Vec<String> {
        let mut categories: Vec<String> = self.iter().map(|entry| entry.spec.category.clone()).collect();
        categories.sort();
        categories.dedup();
        categories
    }
}

// === impl Entry ===

impl Entry {
    /// The arguments that its schema names.
    pub fn properties(&self) -> Option<&Map<String, Value>> {
        self.schema.get("properties")?.as_object()
    }

    /// Whether its schema asks for the argument `name`.
    pub fn requires(&self, name: &str) -> bool {
        let required = self.schema.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|known| known == name))
    }
}

/// Takes other names of arguments out of `schema`: they are between a plugin and the server. What one file is called, models mix
/// up anyway.
fn aliases(schema: &mut Value) -> Vec<(String, String)> {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return Vec::new() };
    let mut aliases = Vec::new();
    for (name, property) in properties.iter_mut() {
        let listed = property.as_object_mut().and_then(|property| property.shift_remove(ALIASES));
        let listed: Vec<String> = listed.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default();
        aliases.extend(listed.into_iter().map(|alias| (alias, name.clone())));
    }
    for (alias, meant) in [("path", "file_path"), ("file_path", "path")] {
        if properties.contains_key(meant) && !properties.contains_key(alias) {
            aliases.push((alias.to_owned(), meant.to_owned()));
        }
    }
    aliases
}

/// The schema in `text`, and what checks by it. Patterns are matched in linear time: they come from a plugin, what they are
/// matched against from a model.
pub(super) fn compile(text: &str) -> Result<(Value, Validator), String> {
    let schema: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let validator = jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|error| error.to_string())?;
    Ok((schema, validator))
}
