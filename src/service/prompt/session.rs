//! Sessions that prompts are kept in, and go on in.

use super::{Prompt, Prompts};
use crate::model::caller::Caller;
use crate::model::chat::{Message, Role};
use crate::model::session::Origin;
use crate::model::{Error, Kind, Result};
use crate::service::conversation::{Talk, spoken};
use crate::service::session::New;

/// In what a prompt is kept.
#[derive(Debug, Default)]
pub struct Keep {
    /// The session that goes on; a new one if there is none.
    pub session: Option<String>,
    /// The caller's own words about a new one.
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

// === impl Prompts ===

impl Prompts {
    /// Opens what `prompt` is kept in; what was said there before is what the model is told before it.
    ///
    /// # Errors
    /// If there is no such session, or somebody speaks in it for too long.
    pub async fn open(&self, prompt: &mut Prompt, keep: Keep, caller: &Caller) -> Result<Talk> {
        let owner = caller.owner();
        let mut talk = match &keep.session {
            Some(id) => {
                let turn = self.sessions.begin(owner, id).await?;
                // Those of the chat surface are known there only.
                if turn.session().origin == Origin::Chat {
                    return Err(
                        Error::caller(Kind::NotFound, format!("Session not found: {id}")).with_param("session_id")
                    );
                }
                prompt.before = spoken(turn.history().await?);
                prompt.system = prompt.system.take().or_else(|| turn.session().system_prompt.clone());
                Talk::new(turn, true)
            }
            None => {
                let new = New {
                    system_prompt: prompt.system.clone(),
                    provider: Some(prompt.backend.clone()),
                    model: prompt.model.clone(),
                    directory: prompt.workdir.clone(),
                    metadata: keep.metadata,
                    ..New::default()
                };
                Talk::new(self.sessions.begin_new(owner, Origin::Prompt, new), self.wait_for_disk)
            }
        };
        talk.ask(Message::text(Role::User, &*prompt.text));
        Ok(talk)
    }
}
