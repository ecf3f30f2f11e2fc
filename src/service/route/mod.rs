//! From what a caller names to those who may serve it, in the order in which they are asked.
//!
//! The contract: a [`Choice`] becomes a [`Plan`]. A name that is a route (`models` in the configuration) comes first
//! ([`alias`]); any other name is a provider's or a model's ([`resolve`]). What becomes of an attempt that failed is decided by
//! [`retry`], and [`breaker`] knows who is better not asked for a while.

mod alias;
pub(super) mod breaker;
pub(super) mod prompt;
mod resolve;
pub(super) mod retry;
mod weights;

use std::collections::VecDeque;
use std::sync::Arc;

use super::provider::Provider;
use super::vendor::Vendor;
use crate::config::RouteCache;
use crate::model::Result;

/// What a caller names: both, one or none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'c> {
    /// A provider's name.
    pub provider: Option<&'c str>,
    /// A route's name, a model's name, `provider/model`, or a provider's name.
    pub model: Option<&'c str>,
}

/// Who serves.
#[derive(Clone)]
pub struct Chosen {
    /// The provider.
    pub provider: Arc<Provider>,
    /// The provider's name for the model.
    pub model: String,
}

/// Who may serve, in the order in which they are asked.
pub struct Plan {
    /// At least one.
    pub targets: VecDeque<Chosen>,
    /// Whether the route keeps answers.
    pub cache: Option<RouteCache>,
}

// === impl Chosen ===

impl Chosen {
    /// What serves the provider.
    ///
    /// # Errors
    /// Why nothing does.
    pub fn vendor(&self) -> Result<&Vendor> {
        self.provider.state.as_ref().map_err(Clone::clone)
    }
}

// === impl Plan ===

impl Plan {
    /// Leaves only those who serve the model that the first one serves.
    pub fn of_one_model(mut self) -> Self {
        if let Some(model) = self.targets.front().map(|first| first.model.clone()) {
            self.targets.retain(|target| target.model == model);
        }
        self
    }
}
