//! From the name of a provider, of a model or of both to who serves it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Choice, Chosen};
use crate::model::{Error, Kind, Result};
use crate::service::provider::{Provider, Providers};
use crate::service::vendor::Vendor;

// === impl Providers ===

impl Providers {
    /// Finds who serves `choice`.
    ///
    /// # Errors
    /// If nobody does, or more than one might; names the candidates.
    pub fn choose(&self, choice: Choice<'_>) -> Result<Chosen> {
        match (choice.provider, choice.model) {
            (Some(provider), model) => self.of(self.get(provider)?, model),
            (None, None) => self.of(self.default()?, None),
            (None, Some(model)) => self.by_model(model),
        }
    }

    fn of(&self, provider: Arc<Provider>, model: Option<&str>) -> Result<Chosen> {
        let vendor = provider.state.as_ref().map_err(Clone::clone)?;
        let model = match model {
            None => vendor.default_model().ok_or_else(|| {
                let cure = format!("name a model, or set providers.{}.default_model", provider.name);
                Error::caller(Kind::MissingField, format!("provider `{}` has no default model; {cure}", provider.name))
                    .with_param("model")
            })?,
            Some(model) if vendor.is_open() || lists(vendor, model) => model.to_owned(),
            Some(model) => return Err(unknown(model, &[provider.name.as_str()], &self.all())),
        };
        Ok(Chosen { provider, model })
    }

    fn by_model(&self, model: &str) -> Result<Chosen> {
        let all = self.all();
        if let Some(provider) = all.get(model) {
            return self.of(provider.clone(), None);
        }
        if let Some((provider, model)) = model.split_once('/')
            && let Some(provider) = all.get(provider)
        {
            return self.of(provider.clone(), Some(model));
        }
        let listing: Vec<&Arc<Provider>> =
            all.values().filter(|provider| provider.state.as_ref().is_ok_and(|vendor| lists(vendor, model))).collect();
        match listing.as_slice() {
            [provider] => return self.of((*provider).clone(), Some(model)),
            [] => {}
            several => {
                let default = self.default()?;
                if several.iter().any(|provider| Arc::ptr_eq(provider, &default)) {
                    return self.of(default, Some(model));
                }
                let names: Vec<String> = several.iter().map(|provider| format!("{}/{model}", provider.name)).collect();
                return Err(Error::invalid(
                    "model",
                    format!("more than one provider has the model {model}; write one of {}", names.join(", ")),
                ));
            }
        }
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        Err(unknown(model, &names, &all))
    }
}

fn lists(vendor: &Vendor, model: &str) -> bool {
    vendor.known_models().iter().any(|known| known.id == model)
}

/// How many models an error names.
const SHOWN: usize = 8;

fn unknown(model: &str, providers: &[&str], all: &BTreeMap<String, Arc<Provider>>) -> Error {
    let (mut known, mut idle) = (Vec::new(), String::new());
    for provider in providers.iter().filter_map(|name| all.get(*name)) {
        match &provider.state {
            Ok(vendor) => {
                known.extend(vendor.known_models().iter().map(|model| format!("{}/{}", provider.name, model.id)));
            }
            // The model may well be one of a provider that only wants its key.
            Err(error) => idle.push_str(&format!("; {}", error.public())),
        }
    }
    let more = if known.len() > SHOWN { ", …" } else { "" };
    known.truncate(SHOWN);
    Error::caller(
        Kind::ModelNotFound,
        format!("Model not found: {model}; write provider/model, such as {}{more}{idle}", known.join(", ")),
    )
    .with_param("model")
}
