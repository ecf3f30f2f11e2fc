//! Every key space, in words: what its keys are made of, and what stands under them.
//!
//! | numbers | whose |
//! |---|---|
//! | 0–9 | the store itself: its version, what migrations have done |
//! | 10–39 | accounts: users, credentials, budgets, the audit log |
//! | 40–69 | conversations: sessions, messages, tool calls, templates, archives |
//! | 70–99 | work: runs, their events, artifacts |
//! | 100–129 | plugins: what they keep for themselves |

use super::key::Space;

/// `[]` → the version of all that is stored ([`u32`] as a counter).
pub const VERSION: Space = Space(0);

// === work ===

/// `[run]` → a [`Run`](crate::model::run::Run).
pub const RUNS: Space = Space(70);
/// `[session, run]` → a mark: the runs of a session, the newest last.
pub const RUNS_OF_SESSION: Space = Space(71);
/// `[owner, run]` → a mark: the runs of an owner, the newest last.
pub const RUNS_OF_OWNER: Space = Space(72);
/// `[run]` → a lease: who works at a run that is not over.
pub const OPEN_RUNS: Space = Space(73);
/// `[run, number]` → an [`Event`](crate::model::run::Event); numbers begin with 1 and have no gap.
pub const RUN_EVENTS: Space = Space(74);
/// `[run, number]` → a [`Message`](crate::model::chat::Message) of the run's conversation; numbers begin with 0.
pub const RUN_MESSAGES: Space = Space(75);
/// `[run, number]` → words of a person that the model has not been told yet.
pub const RUN_INBOX: Space = Space(76);
/// `[run, artifact]` → an [`Artifact`](crate::model::run::Artifact).
pub const ARTIFACTS: Space = Space(77);
/// `[run, artifact]` → its content.
pub const ARTIFACT_CONTENTS: Space = Space(78);
/// `[run, path]` → a file of the workspace as it was before the run.
pub const RUN_BEFORE: Space = Space(79);
