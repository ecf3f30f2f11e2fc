//! What an agent works with: tools, seen from the loop.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use crate::model::caller::Caller;
use crate::model::tool::{Failure, Output, Progress, Spec};
use crate::service::tool::{Call, Toolbox};

/// The tools that there are.
pub trait Hands: Send + Sync + 'static {
    /// What each says of itself.
    fn specs(&self) -> Vec<Arc<Spec>>;

    /// Calls one. The future does the work: whoever drops it ends the call, as far as that is possible.
    fn call(self: Arc<Self>, call: HandCall) -> BoxFuture<'static, Result<Output, Failure>>;
}

/// One call.
#[derive(Clone, Debug)]
pub struct HandCall {
    /// The tool.
    pub tool: String,
    /// What it is given, as JSON.
    pub arguments: String,
    /// Names the call.
    pub id: String,
    /// Where it is made.
    pub place: Place,
}

/// Where calls are made, and for whom.
#[derive(Clone, Debug)]
pub struct Place {
    /// On whose behalf.
    pub caller: Caller,
    /// The session.
    pub session: Option<String>,
    /// The run.
    pub run: Option<String>,
    /// The files that tools may see.
    pub workspace: Option<PathBuf>,
    /// Where tools tell how far they have come, if anybody wants to know.
    pub progress: Option<mpsc::Sender<Progress>>,
}

// === impl Toolbox ===

impl Hands for Toolbox {
    fn specs(&self) -> Vec<Arc<Spec>> {
        let known = self.specs();
        known.iter().map(|entry| Arc::new(Spec { name: entry.name.clone(), ..entry.spec.clone() })).collect()
    }

    fn call(self: Arc<Self>, call: HandCall) -> BoxFuture<'static, Result<Output, Failure>> {
        Box::pin(async move {
            let HandCall { tool, arguments, id, place } = call;
            let call = Call {
                name: tool,
                arguments,
                caller: place.caller,
                workspace: place.workspace,
                session: place.session,
                run: place.run,
                call_id: id,
                progress: place.progress,
            };
            Toolbox::call(&self, call).await
        })
    }
}
