//! What a run leaves: its plan, what it changed, what was said, and its last words.

use std::path::PathBuf;

use uuid::Uuid;

use super::files;
use crate::model::run::{Artifact, Outcome, Plan, Run};
use crate::model::{Error, Kind, Result};
use crate::store::runs::{Before, Runs};

/// The plan, under the same id each time.
pub(super) fn plan(run: &Run, plan: &Plan, now: &str) -> (Artifact, String) {
    let content = serde_json::to_string_pretty(plan).unwrap_or_default();
    // Derived, so that a plan that is told anew stands in the place of the old one.
    let base = Uuid::parse_str(&run.id).unwrap_or_default();
    let id = Uuid::from_u128(base.as_u128() ^ 0x706c_616e).to_string();
    artifact(id, "plan.json", "plan", "application/json", content, now)
}

fn fresh(name: &str, kind: &str, mime: &str, content: String, now: &str) -> (Artifact, String) {
    artifact(Uuid::now_v7().to_string(), name, kind, mime, content, now)
}

fn artifact(id: String, name: &str, kind: &str, mime: &str, content: String, now: &str) -> (Artifact, String) {
    let size = content.len() as u64;
    let about =
        Artifact { id, name: name.into(), kind: kind.into(), mime: mime.into(), size, created_at: now.to_owned() };
    (about, content)
}

/// What the workspace is before the run.
///
/// # Errors
/// If the store can't be written.
pub(super) async fn remember(store: &Runs, run: &Run) -> Result<()> {
    let Some(root) = run.workspace.clone().map(PathBuf::from) else { return Ok(()) };
    let found = tokio::task::spawn_blocking(move || files::look(&root)).await.unwrap_or_default();
    store.keep_before(&run.id, &found).await
}

/// All that a run leaves that ends with `outcome`.
///
/// # Errors
/// If the store can't be read.
pub(super) async fn last(store: &Runs, run: &Run, outcome: &Outcome, now: &str) -> Result<Vec<(Artifact, String)>> {
    let mut all = Vec::new();
    if let Some(root) = run.workspace.clone().map(PathBuf::from) {
        let before: Vec<(String, Before)> = store.before(&run.id).await?;
        let patch = tokio::task::spawn_blocking(move || files::changes(&root, before)).await.unwrap_or_default();
        all.push(fresh("diff.patch", "diff", "text/x-diff; charset=utf-8", patch, now));
    }
    let said = store.messages(&run.id).await?;
    let transcript = serde_json::to_string_pretty(&said).unwrap_or_default();
    all.push(fresh("transcript.json", "transcript", "application/json", transcript, now));
    let summary = format!("# {}\n\n{}\n", first_line(&run.description), outcome.summary.trim());
    all.push(fresh("final_summary.md", "summary", "text/markdown; charset=utf-8", summary, now));
    Ok(all)
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

// === impl Runs ===

impl super::Runs {
    /// What a run has left so far.
    ///
    /// # Errors
    /// If `owner` has no such run.
    pub async fn artifacts(&self, owner: &str, id: &str) -> Result<Vec<Artifact>> {
        self.get(owner, id).await?;
        let mut artifacts = self.store.artifacts(id).await?;
        artifacts.sort_by(|one, other| (&one.created_at, &one.name).cmp(&(&other.created_at, &other.name)));
        Ok(artifacts)
    }

    /// One of them, by its id or its name, with its content.
    ///
    /// # Errors
    /// If `owner` has no such run, or it has not left that.
    pub async fn artifact(&self, owner: &str, id: &str, artifact: &str) -> Result<(Artifact, String)> {
        let all = self.artifacts(owner, id).await?;
        let known = all.iter().find(|known| known.id == artifact || known.name == artifact);
        let found = match known {
            Some(known) => self.store.artifact(id, &known.id).await?,
            None => None,
        };
        found.ok_or_else(|| Error::caller(Kind::NotFound, format!("Artifact not found: {artifact}")))
    }
}
