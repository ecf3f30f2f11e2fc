//! All that an owner or a session has in runs: given out, and taken away.

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::{Value, json};

use super::Runs;
use crate::model::Result;
use crate::model::run::Run;
use crate::service::access::Belongings;
use crate::service::session::Dependents;
use crate::store::runs::Runs as Records;

impl Belongings for Runs {
    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn erase<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { Ok(self.forget_owner(owner).await? as u64) })
    }

    fn export(&self, owner: &str) -> BoxStream<'static, Result<Value>> {
        self.store.export(owner)
    }
}

impl Dependents for Runs {
    fn forget<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.forget_session(session))
    }
}

/// Where no server runs, nobody works at them.
impl Belongings for Records {
    fn name(&self) -> &'static str {
        "tasks"
    }

    fn erase<'a>(&'a self, owner: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { forget_all(self, self.of_owner(owner, usize::MAX).await?).await })
    }

    fn export(&self, owner: &str) -> BoxStream<'static, Result<Value>> {
        let (store, owner) = (self.clone(), owner.to_owned());
        let runs = stream::once(async move {
            let runs = store.of_owner(&owner, usize::MAX).await;
            match runs {
                Ok(runs) => stream::iter(runs).then(move |run| told(store.clone(), run)).boxed(),
                Err(error) => stream::once(async { Err(error) }).boxed(),
            }
        });
        runs.flatten().boxed()
    }
}

impl Dependents for Records {
    fn forget<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { forget_all(self, self.of_session(session, usize::MAX).await?).await.map(drop) })
    }
}

async fn forget_all(store: &Records, runs: Vec<Run>) -> Result<u64> {
    for run in &runs {
        store.forget(run).await?;
    }
    Ok(runs.len() as u64)
}

/// A run with what was said in it.
async fn told(store: Records, run: Run) -> Result<Value> {
    let messages = store.messages(&run.id).await?;
    Ok(json!({"kind": "task", "task": run, "messages": messages}))
}
