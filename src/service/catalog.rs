//! What is known of models without asking: limits, abilities and prices, by vendor and model.
//!
//! `config/models.yaml` is part of the binary; the operator's own file stands in place of what it says of the same models.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::model::provider::{LongPrice, Model, Price};
use crate::model::{Error, Fault, Kind, Result};

/// The models of one vendor, by their ids.
pub type Models = BTreeMap<String, Facts>;

/// What is known of one model; what isn't is absent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    context_window: Option<u32>,
    max_output: Option<u32>,
    vision: Option<bool>,
    tools: Option<bool>,
    reasoning: Option<bool>,
    price: Option<WrittenPrice>,
    long_price: Option<WrittenPrice>,
}

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct WrittenPrice {
    /// Tokens of a prompt beyond which a long price holds.
    #[serde(default)]
    above: u32,
    input: f64,
    output: f64,
    #[serde(default)]
    cache_read: Option<f64>,
    #[serde(default)]
    cache_write: Option<f64>,
    #[serde(default)]
    cache_write_hour: Option<f64>,
}

/// See the module.
#[derive(Default)]
pub struct ModelCatalog {
    /// What the operator says.
    own: BTreeMap<String, Models>,
}

/// Read by sections, each when its vendor is asked for: all of it would slow down every start.
const BUNDLED: &str = include_str!("../../config/models.yaml");

// === impl ModelCatalog ===

impl ModelCatalog {
    /// What is bundled, with what stands in the operator's file `own` in its place.
    ///
    /// # Errors
    /// Names the file, and what is wrong with it.
    pub fn load(own: Option<&Path>) -> Result<Self> {
        let Some(path) = own else { return Ok(Self::default()) };
        let wrong = |why: String| {
            let message = format!("can't use model_catalog {}: {why}", path.display());
            Error::new(Kind::Internal, Fault::Us, message)
        };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { own: serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))? })
    }

    /// The models of `vendor`: a preset, or a bundled plugin.
    pub fn vendor(&self, vendor: &str) -> Option<Arc<Models>> {
        let mut models = bundled(vendor);
        if let Some(own) = self.own.get(vendor) {
            models.get_or_insert_default().extend(own.iter().map(|(id, facts)| (id.clone(), *facts)));
        }
        models.map(Arc::new)
    }
}

/// The section of `vendor`, which begins with its name at the beginning of a line and ends before the next such line.
fn bundled(vendor: &str) -> Option<Models> {
    let mut lines = BUNDLED.split_inclusive('\n').skip_while(|line| line.strip_suffix(":\n") != Some(vendor));
    lines.next()?;
    let section: String = lines.take_while(|line| !line.starts_with(|first: char| first.is_alphanumeric())).collect();
    serde_saphyr::from_str(&section).ok()
}

// === impl Facts ===

impl Facts {
    /// Adds what is known to `model`.
    pub fn tell(&self, model: &mut Model) {
        model.context_window = self.context_window.or(model.context_window);
        model.max_output = self.max_output.or(model.max_output);
        model.vision = self.vision.or(model.vision);
        model.tools = self.tools.or(model.tools);
        model.reasoning = self.reasoning.or(model.reasoning);
        model.price = self.price().or(model.price);
    }

    fn price(&self) -> Option<Price> {
        let price = self.price?;
        Some(Price {
            input: price.input,
            output: price.output,
            cache_read: price.cache_read,
            cache_write: price.cache_write,
            cache_write_hour: price.cache_write_hour,
            long: self.long_price.map(|long| LongPrice {
                above: long.above,
                input: long.input,
                output: long.output,
                cache_read: long.cache_read,
                cache_write: long.cache_write,
                cache_write_hour: long.cache_write_hour,
            }),
        })
    }
}

/// `listed` with what `models` knows of each, and after it the models that only `models` knows.
pub fn told(mut listed: Vec<Model>, models: Option<&Models>) -> Vec<Model> {
    let Some(models) = models else { return listed };
    for model in &mut listed {
        if let Some(facts) = models.get(&model.id) {
            facts.tell(model);
        }
    }
    let others: Vec<Model> = models
        .iter()
        .filter(|(id, _)| !listed.iter().any(|model| model.id == **id))
        .map(|(id, facts)| {
            let mut model = Model { id: id.clone(), ..Model::default() };
            facts.tell(&mut model);
            model
        })
        .collect();
    listed.extend(others);
    listed
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_bundled_file_is_read_whole() {
        let read: BTreeMap<String, Models> = serde_saphyr::from_str(BUNDLED).unwrap();
        assert!(read["openai"].contains_key("gpt-4o"));
        for (vendor, models) in &read {
            assert_eq!(bundled(vendor).as_ref(), Some(models));
            for (id, facts) in models {
                let sound = |price: &WrittenPrice| {
                    [Some(price.input), Some(price.output), price.cache_read, price.cache_write, price.cache_write_hour]
                        .into_iter()
                        .flatten()
                        .all(|dollars| (0.0..1000.0).contains(&dollars))
                };
                assert!(facts.price.iter().chain(&facts.long_price).all(sound), "{vendor}/{id}");
                assert!(facts.long_price.is_none_or(|long| long.above > 0 && facts.price.is_some()), "{vendor}/{id}");
            }
        }
    }

    #[test]
    fn the_operator_s_entry_stands_in_place_of_the_bundled_one() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"openai:\n  gpt-4o: {price: {input: 1, output: 2}}\nmine:\n  m: {context_window: 10}\n")
            .unwrap();
        let catalog = ModelCatalog::load(Some(file.path())).unwrap();
        let openai = catalog.vendor("openai").unwrap();
        let models = told(vec![Model { id: "gpt-4o".into(), ..Model::default() }], Some(&openai));
        let price = models[0].price.unwrap();
        assert_eq!((price.input, price.cache_read, models[0].context_window), (1.0, None, None));
        assert!(models.iter().any(|model| model.id == "gpt-4o-mini"));
        assert!(catalog.vendor("mine").is_some() && catalog.vendor("other").is_none());
    }

    #[test]
    fn a_wrong_file_is_named() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"openai:\n  gpt-4o: {prize: 1}\n").unwrap();
        let message = ModelCatalog::load(Some(file.path())).err().unwrap().to_string();
        assert!(message.contains("model_catalog") && message.contains("prize"), "{message}");
    }
}
