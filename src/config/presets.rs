//! Vendors by name: `config/presets.yaml` says what an entry of `providers` leaves out.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::load::variable;
use super::{Config, Provider, Secret};

/// What is known of a vendor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// For people.
    pub name: String,
    /// The plugin that speaks its dialect.
    pub plugin: String,
    /// Where it is reached; absent where only the operator can know.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The environment variable in which people keep its key; absent for vendors that ask for none.
    #[serde(default)]
    pub key_variable: Option<String>,
    /// In what it differs from the dialect's first vendor.
    #[serde(default)]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

static PRESETS: LazyLock<BTreeMap<String, Preset>> =
    LazyLock::new(|| serde_saphyr::from_str(include_str!("../../config/presets.yaml")).unwrap_or_default());

/// All of them, by name.
pub fn presets() -> &'static BTreeMap<String, Preset> {
    &PRESETS
}

// === impl Config ===

impl Config {
    /// Fills in what entries of `providers` leave to their presets.
    ///
    /// # Errors
    /// Names a preset that doesn't exist.
    pub(super) fn fill(&mut self) -> Result<(), String> {
        for (name, entry) in &mut self.providers {
            let named = entry.preset.is_some();
            let wanted = entry.preset.clone().unwrap_or_else(|| name.clone());
            let preset = match presets().get(&wanted) {
                // Who names a plugin knows better.
                Some(_) if !named && entry.plugin.is_some() => continue,
                Some(preset) => preset,
                None if named => {
                    let known: Vec<&str> = presets().keys().map(String::as_str).collect();
                    return Err(format!(
                        "`providers.{name}.preset`: there is no preset `{wanted}`; known: {}",
                        known.join(", ")
                    ));
                }
                None => continue,
            };
            entry.fill(wanted, preset);
        }
        Ok(())
    }

    /// Adds the vendors whose key is in the environment: they need no entry.
    pub(super) fn imply(&mut self) {
        let wanted = presets().iter().filter(|(name, preset)| {
            !self.providers.contains_key(*name) && preset.key_variable.as_deref().and_then(variable).is_some()
        });
        let implied: Vec<(String, Provider)> = wanted
            .map(|(name, preset)| {
                let mut entry = Provider::default();
                entry.fill(name.clone(), preset);
                (name.clone(), entry)
            })
            .collect();
        self.providers.extend(implied);
    }
}

impl Provider {
    fn fill(&mut self, name: String, preset: &Preset) {
        self.preset = Some(name);
        self.plugin.get_or_insert_with(|| preset.plugin.clone());
        // An address that the operator chose may belong to another vendor: it gets no key that wasn't meant for it.
        if self.base_url.is_none() {
            self.base_url.clone_from(&preset.base_url);
            self.api_key = self.api_key.take().or_else(|| preset.key_variable.clone().map(Secret::Env));
        }
        for (key, value) in &preset.settings {
            self.settings.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_whole() {
        let text = include_str!("../../config/presets.yaml");
        let read: BTreeMap<String, Preset> = serde_saphyr::from_str(text).unwrap();
        assert!(read.contains_key("groq") && presets().len() == read.len());
        for (name, preset) in &read {
            let local = preset.base_url.as_deref().is_some_and(|url| url.starts_with("http://localhost"));
            let remote = preset.base_url.as_deref().is_some_and(|url| url.starts_with("https://"));
            assert!(local || remote && preset.key_variable.is_some(), "{name}");
        }
    }

    #[test]
    fn a_name_is_enough() {
        let config = Config::from_yaml("providers:\n  groq:\n  vllm:\n").unwrap();
        let groq = &config.providers["groq"];
        assert_eq!(groq.plugin.as_deref(), Some("openai"));
        assert_eq!(groq.base_url.as_deref(), Some("https://api.groq.com/openai/v1"));
        assert_eq!(groq.api_key, Some(Secret::Env("GROQ_API_KEY".into())));
        assert_eq!(config.providers["vllm"].api_key, None);
    }

    #[test]
    fn another_address_gets_no_key() {
        let yaml = "providers:\n  mine: {preset: groq, base_url: 'https://proxy.example/v1'}\n";
        let config = Config::from_yaml(yaml).unwrap();
        let mine = &config.providers["mine"];
        assert_eq!((mine.plugin.as_deref(), &mine.api_key), (Some("openai"), &None));
        assert_eq!(mine.base_url.as_deref(), Some("https://proxy.example/v1"));
    }

    #[test]
    fn who_names_a_plugin_knows_better() {
        let config = Config::from_yaml("providers:\n  groq: {plugin: groq}\n").unwrap();
        assert_eq!(config.providers["groq"].base_url, None);
    }

    #[test]
    fn an_unknown_preset_names_the_known_ones() {
        let message = Config::from_yaml("providers:\n  a: {preset: grok}\n").unwrap_err().to_string();
        assert!(message.contains("`providers.a.preset`") && message.contains("groq"), "{message}");
    }

    #[test]
    fn what_is_filled_in_can_be_read_again() {
        let config = Config::from_yaml("providers:\n  groq: {settings: {top_k: true}}\n").unwrap();
        let shown = config.to_yaml().unwrap();
        assert_eq!(Config::from_yaml(&shown).unwrap().to_yaml().unwrap(), shown);
        assert_eq!(config.providers["groq"].settings["top_k"], true);
    }
}
