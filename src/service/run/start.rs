//! The beginning of runs: new ones, and those that the server's end interrupted.

use std::sync::Arc;

use uuid::Uuid;

use super::{Runs, asker};
use crate::model::caller::Caller;
use crate::model::run::{Asker, Body, Event, Limits, Outcome, Progress, Reach, Rules, Run, Status};
use crate::model::{Fault, Result};

/// A run to be.
#[derive(Clone, Debug, Default)]
pub struct New {
    /// The session that it belongs to.
    pub session: Option<String>,
    /// Where it may read and write files.
    pub workspace: Option<String>,
    /// What is to be done.
    pub description: String,
    /// What the model is told before it, in place of what agents are told.
    pub system: Option<String>,
    /// The provider.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Which tools there are.
    pub reach: Reach,
    /// What it may do; the operator's approval policy holds where that is stricter.
    pub rules: Rules,
    /// Fewer answers of the model than the operator allows.
    pub iterations: Option<u32>,
    /// Less time than the operator allows, in seconds.
    pub seconds: Option<u64>,
    /// Fewer tokens than the operator allows.
    pub tokens: Option<u64>,
    /// Less money than the operator allows.
    pub cost: Option<f64>,
}

/// How often a run is picked up that makes no step.
const PICKED_UP: u32 = 3;

// === impl Runs ===

impl Runs {
    /// Begins a run of `caller`. When this returns, it is stored.
    ///
    /// # Errors
    /// If it can't be stored.
    pub async fn start(self: &Arc<Self>, caller: &Caller, new: New) -> Result<Run> {
        let settings = &self.settings;
        let cost = match (new.cost, settings.max_cost) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let mut rules = new.rules;
        rules.approval = rules.approval.max(settings.approval);
        let now = self.clock.rfc3339();
        let at_once = self.room.available_permits() > 0;
        let (status, message) =
            if at_once { (Status::Running, "Task started") } else { (Status::Pending, "waiting for other tasks") };
        let run = Run {
            id: Uuid::now_v7().to_string(),
            session: new.session,
            owner: caller.owner().to_owned(),
            asker: asker(caller),
            description: new.description,
            system: new.system,
            provider: new.provider,
            model: new.model,
            reach: new.reach,
            workspace: new.workspace,
            rules,
            limits: Limits {
                iterations: new.iterations.unwrap_or(u32::MAX).min(settings.max_iterations),
                seconds: new.seconds.unwrap_or(u64::MAX).min(settings.max_time.as_secs()),
                tokens: new.tokens.unwrap_or(u64::MAX).min(settings.max_tokens),
                cost,
            },
            status,
            progress: Progress::default(),
            result: None,
            created_at: now.clone(),
            completed_at: None,
        };
        let body = Body::Status { status, message: message.into(), discard_after: None };
        self.store.create(&run, &self.lease(), &[Event { sequence: 1, timestamp: now, body }]).await?;
        self.set_to_work(run.clone(), caller.clone()).await?;
        Ok(run)
    }

    /// Picks up the runs that are not over, or says what is true of them: that they were interrupted. `alone` is for who knows
    /// that no other process works at any of them.
    ///
    /// # Errors
    /// If the store can't be used.
    pub async fn pick_up(self: &Arc<Self>, alone: bool) -> Result<()> {
        for (id, lease) in self.store.open().await? {
            if self.of(&id).is_some() || !self.take(&id, &lease, alone).await? {
                continue;
            }
            match self.store.get(&id).await? {
                Some(run) if !run.status.is_over() => self.pick_up_one(run).await?,
                _ => self.store.close(&id).await?,
            }
        }
        Ok(())
    }

    async fn pick_up_one(self: &Arc<Self>, run: Run) -> Result<()> {
        let (id, waits) = (run.id.clone(), run.status == Status::Pending);
        let caller = match self.caller(&run.asker).await {
            Ok(caller) => Ok(caller),
            Err(error) if error.fault() == Fault::Caller => {
                Err(format!("the server ended, and whoever began the task may not go on: {}", error.public()))
            }
            // The store can't be read; another time it may.
            Err(error) => return Err(error),
        };
        let why = if !self.settings.resume {
            Some("the server ended, and runs don't go on here (runs.resume)".to_owned())
        } else if run.progress.restarts >= PICKED_UP {
            Some(format!("the server ended {} times in the middle of the same step", run.progress.restarts + 1))
        } else if run.workspace.as_ref().is_some_and(|path| !std::path::Path::new(path).is_dir()) {
            Some("the server ended, and the workspace is gone".to_owned())
        } else {
            None
        };
        let journal = self.journal(run.clone()).await?;
        let (now, discard_after) = (self.clock.rfc3339(), self.void_after(&run).await?);
        match why.map_or(caller, Err) {
            Err(why) => {
                let outcome = Outcome { success: false, summary: why.clone(), code: Some("INTERRUPTED".into()) };
                let artifacts = super::leave::last(&self.store, &run, &outcome, &now).await?;
                journal
                    .write(|draft| {
                        draft.events.push(Body::Error { error: why.clone(), code: "INTERRUPTED".into() });
                        let status = Status::Interrupted;
                        draft.events.push(Body::Status { status, message: why, discard_after });
                        draft.artifacts.extend(artifacts);
                        let run = &mut draft.run;
                        (run.status, run.result, run.completed_at) = (status, Some(outcome), Some(now));
                        run.progress.question = None;
                        Ok(())
                    })
                    .await?;
                tracing::warn!(run = id, "a run was interrupted");
            }
            Ok(caller) => {
                journal
                    .write(|draft| {
                        draft.run.progress.restarts += u32::from(!waits);
                        draft.run.status = Status::Running;
                        let message = "the server is back; the task goes on".to_owned();
                        draft.events.push(Body::Status { status: Status::Running, message, discard_after });
                        Ok(())
                    })
                    .await?;
                tracing::info!(run = id, "a run is picked up");
                let run = journal.run().await;
                self.set_to_work(run, caller).await?;
            }
        }
        Ok(())
    }

    /// The caller that a run remembers, as its account stands now.
    async fn caller(&self, asker: &Asker) -> Result<Caller> {
        let address = asker.address.parse().unwrap_or(std::net::IpAddr::from([0, 0, 0, 0]));
        let surfaces = ["agent", "chat", "platform", "prompt", "openai", "anthropic", "mcp"];
        let surface = surfaces.into_iter().find(|known| *known == asker.surface).unwrap_or("agent");
        let principal = asker.principal.as_str().into();
        Ok(match (&asker.member, &self.accounts) {
            (Some(member), Some(accounts)) => {
                let member = accounts.again(&member.id, member.key.as_deref()).await?;
                Caller { principal, ..Caller::with_member(member, address, surface) }
            }
            _ if asker.known => Caller::with_key(principal, address, surface),
            _ => Caller { principal, ..Caller::anonymous(address, surface) },
        })
    }

    /// What an answer said that never came to its end is void: the number of the newest event before it.
    async fn void_after(&self, run: &Run) -> Result<Option<u64>> {
        let mut after = run.progress.whole_until;
        loop {
            let page = self.store.events(&run.id, after, 256).await?;
            let said = |event: &&Event| matches!(event.body, Body::Token { .. } | Body::Thinking { .. });
            if let Some(first) = page.iter().find(said) {
                return Ok(Some(first.sequence - 1));
            }
            let Some(last) = page.last() else { return Ok(None) };
            after = last.sequence;
        }
    }
}
