//! Routes: names that the operator gave, and who stands behind them.

use std::collections::VecDeque;

use super::{Choice, Chosen, Plan, weights};
use crate::config::{Route, RouteTarget};
use crate::model::{Error, Fault, Kind, Result};
use crate::service::chance::Chance;
use crate::service::provider::Providers;

// === impl Providers ===

impl Providers {
    /// Who may serve `choice`, in the order in which they are asked; `prompt` counts the prompt's tokens where that matters.
    ///
    /// # Errors
    /// If nobody does, or more than one might; names the candidates.
    pub fn plan(&self, choice: Choice<'_>, prompt: impl FnOnce() -> u64, chance: &Chance) -> Result<Plan> {
        let named = choice.model.filter(|_| choice.provider.is_none());
        match named.and_then(|name| self.routes().get_key_value(name)) {
            Some((name, route)) => self.of_route(name, route, prompt, chance),
            None => Ok(Plan { targets: VecDeque::from([self.choose(choice)?]), cache: None }),
        }
    }

    /// What is wrong with routes as long as no further provider comes.
    pub fn route_faults(&self) -> Vec<Error> {
        let targets = self.routes().iter().flat_map(|(name, route)| route.targets.iter().map(move |one| (name, one)));
        let faulty = targets.filter(|(_, target)| self.provider_of(target).is_none());
        faulty.map(|(name, target)| self.nobody(name, target)).collect()
    }

    fn of_route(&self, name: &str, route: &Route, prompt: impl FnOnce() -> u64, chance: &Chance) -> Result<Plan> {
        let weights: Vec<Option<f64>> = route.targets.iter().map(|target| target.weight).collect();
        let (mut usable, mut failed) = (Vec::new(), None);
        for target in weights::order(&weights, chance).into_iter().filter_map(|index| route.targets.get(index)) {
            match self.target(name, target) {
                Ok(chosen) => usable.push((chosen, target.max_prompt)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let longest: Vec<Option<u64>> = usable.iter().map(|(chosen, max)| max.or_else(|| window(chosen))).collect();
        if longest.iter().any(Option::is_some) {
            let prompt = prompt();
            let fits = |longest: &Option<u64>| longest.is_none_or(|longest| prompt <= longest);
            // A rough count may be wrong: where all are too small, the vendors themselves shall say so.
            if longest.iter().any(fits) {
                let mut longest = longest.iter();
                usable.retain(|_| longest.next().is_some_and(fits));
            }
        }
        if usable.is_empty() {
            let none = || Error::new(Kind::Unavailable, Fault::Us, format!("route `{name}` has no target"));
            return Err(failed.unwrap_or_else(none));
        }
        Ok(Plan { targets: usable.into_iter().map(|(chosen, _)| chosen).collect(), cache: route.cache })
    }

    fn target(&self, route: &str, target: &RouteTarget) -> Result<Chosen> {
        let (provider, model) = self.provider_of(target).ok_or_else(|| self.nobody(route, target))?;
        let choice = Choice { provider: Some(provider), model };
        // A wrong target is the operator's mistake, not the caller's.
        self.choose(choice).map_err(|error| match error.fault() {
            Fault::Caller => Error::new(Kind::Unavailable, Fault::Us, format!("models.{route}: {}", error.public())),
            _ => error,
        })
    }

    /// The names of provider and model that a target stands for, if there is such a provider.
    fn provider_of<'t>(&self, target: &'t RouteTarget) -> Option<(&'t str, Option<&'t str>)> {
        let all = self.all();
        let parts = target.model.split_once('/').filter(|(provider, _)| all.contains_key(*provider));
        let whole = || all.contains_key(&target.model).then_some((target.model.as_str(), None));
        parts.map(|(provider, model)| (provider, Some(model))).or_else(whole)
    }

    fn nobody(&self, route: &str, target: &RouteTarget) -> Error {
        let provider = target.model.split('/').next().unwrap_or_default();
        let all = self.all();
        let known: Vec<&str> = all.keys().map(String::as_str).collect();
        let what = format!(
            "models.{route}: there is no provider `{provider}`; write provider/model with one of {}, or add it under providers",
            known.join(", ")
        );
        Error::new(Kind::Unavailable, Fault::Us, what)
    }
}

/// Tokens of the longest prompt that the model takes, if that is known.
fn window(chosen: &Chosen) -> Option<u64> {
    let known = chosen.vendor().ok()?.known_models();
    known.iter().find(|model| model.id == chosen.model)?.context_window.map(u64::from)
}
