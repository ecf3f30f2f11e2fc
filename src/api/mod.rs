//! The dialects: each surface reads its own JSON, asks a service, and writes its own JSON.

pub mod agent;
pub mod anthropic;
pub mod openai;
pub mod ops;
mod served;
mod speaker;
pub mod v1;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::http::openapi::{self, Info};
use crate::http::{Endpoint, Fixed, Surface};
use crate::plugin::Catalog;
use crate::service::access::Accounts;
use crate::service::budget::Budgets;
use crate::service::chat::Chat;
use crate::service::conversation::Conversations;
use crate::service::prompt::Prompts;
use crate::service::provider::Providers;
use crate::service::responses::Responses;
use crate::service::run::Runs;
use crate::service::session::Sessions;
use crate::service::template::Templates;
use crate::service::{Clock, Readiness, Toolbox};
use crate::store::Store;
use crate::telemetry::Telemetry;

/// What people may be called, in the API document: see `Accounts`.
const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
/// The same of names that are no addresses.
const USERNAME: &str = r"^[^@\x00-\x1f\x7f-\x9f]*[^@\s\x00-\x1f\x7f-\x9f][^@\x00-\x1f\x7f-\x9f]*$";

/// What the endpoints share.
pub struct State {
    /// Asks models.
    pub chat: Arc<Chat>,
    /// What bounds prompts.
    pub prompts: Prompts,
    /// Who can be asked.
    pub providers: Arc<Providers>,
    /// What outlives the process.
    pub store: Store,
    /// Agents at work.
    pub runs: Arc<Runs>,
    /// What accounts and keys may use.
    pub budgets: Arc<Budgets>,
    /// Who there is.
    pub accounts: Arc<Accounts>,
    /// What was said and done, by whom.
    pub sessions: Arc<Sessions>,
    /// What sessions can be made from.
    pub templates: Templates,
    /// Answers that can be gone on from.
    pub responses: Responses,
    /// What was said before on the chat surface.
    pub conversations: Arc<Conversations>,
    /// What models can be given, and calls of it.
    pub tools: Arc<Toolbox>,
    /// What is loaded.
    pub catalog: Arc<Catalog>,
    /// What has been counted.
    pub telemetry: Arc<Telemetry>,
    /// Whether `/metrics` answers.
    pub metrics: bool,
    /// Held by who writes them out.
    pub rendering: tokio::sync::Mutex<()>,
    /// What time it is.
    pub clock: Clock,
    /// Whether requests are wanted.
    pub readiness: Arc<Readiness>,
    /// When the server started.
    pub started: Instant,
    /// `server.environment`.
    pub environment: String,
    /// What the API document says, written out when it is first asked for.
    pub document: LazyLock<Fixed>,
    /// After how much silence a stream says something.
    pub keep_alive: Duration,
}

/// Every endpoint: the router is made of them.
pub fn endpoints() -> Vec<Endpoint<State>> {
    [v1::endpoints(), agent::endpoints(), openai::endpoints(), anthropic::endpoints(), ops::endpoints()]
        .into_iter()
        .flatten()
        .collect()
}

/// What the API document says of itself.
const INFO: Info = Info {
    title: "Mortise",
    version: env!("CARGO_PKG_VERSION"),
    description: "Chats over JSON, event streams, OpenAI's and Anthropic's API, answered by model providers that are sandboxed plugins.\n\n\
                  Every answer carries `X-Request-Id`. Where the server asks for keys, one is sent as `X-API-Key` or as a \
                  bearer token; where it doesn't, any key is ignored. `HEAD` and `OPTIONS` work \
                  everywhere.",
    licence: env!("CARGO_PKG_LICENSE"),
};

/// The API document: what [`endpoints`] says of itself, in the words of OpenAPI 3.1.
pub fn document() -> serde_json::Value {
    openapi::document(&INFO, &endpoints())
}

/// Who answers for paths that nobody knows.
pub const FALLBACK: &Surface = &ops::SURFACE;
