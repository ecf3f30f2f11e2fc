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

/// Sessions until version 1, [`MESSAGES`] since.
pub const SESSIONS_ALONE: Space = Space(40);
/// `[session]` → whose it is; of sessions that are listed.
pub const SESSION_OWNERS: Space = Space(41);
/// `[owner, status, mode, provider, age, session]` → its id; the newest first. Each of the three is there with its value and
/// empty, which is any, in every combination: a filtered list is a range.
pub const SESSION_LISTS: Space = Space(42);
/// `[owner, status, mode, provider]` → how many stand in that list, a counter.
pub const SESSION_COUNTS: Space = Space(43);
/// `[status]` → how many listed sessions of all owners there are, a counter.
pub const SESSION_TOTALS: Space = Space(44);
/// `[owner, session, number]` → [`Message`](crate::model::session::Message), from 1 on without gaps; and under the greatest number
/// of all the [`Session`](crate::model::session::Session), so that a message and what counts it are written in one page.
pub const MESSAGES: Space = Space(45);
/// `[owner, session, number]` → [`ToolCall`](crate::model::session::ToolCall), from 1 on without gaps.
pub const TOOL_CALLS: Space = Space(46);
/// `[session]` → [`Lease`](crate::model::session::Lease): who works in it, or, where there is none, makes it or takes it out.
pub const LEASES: Space = Space(47);
/// `[what, milliseconds, owner, id]` → the same: what is to be looked at then, or later, whether it has outlived its use.
pub const AGES: Space = Space(48);
/// `[owner, session, archive]` → [`Archive`](crate::model::session::Archive).
pub const ARCHIVES: Space = Space(49);
/// `[owner, template]` → [`Template`](crate::model::session::Template).
pub const TEMPLATES: Space = Space(50);
/// `[template]` → whose it is; of templates that everybody may use.
pub const PUBLIC_TEMPLATES: Space = Space(51);
/// `[owner or nobody, list, category, age, template]` → whose it is and its id; the newest first. The category is there with its
/// value and empty, which is any.
pub const TEMPLATE_LISTS: Space = Space(52);
/// `[owner or nobody, list, category]` → how many stand in that list, a counter.
pub const TEMPLATE_COUNTS: Space = Space(53);
/// `[owner, response]` → [`Response`](crate::model::session::Response).
pub const RESPONSES: Space = Space(54);
/// `[owner, session]` → a mark: all sessions of an owner.
pub const SESSIONS_OF_OWNER: Space = Space(55);

/// `[user's id]` → [`User`](crate::model::account::User).
pub const USERS: Space = Space(10);

/// `[e-mail address in small letters]` → the user's id; no address is two users'.
pub const EMAILS: Space = Space(11);

/// `[name in small letters]` → the user's id; no name is two users'.
pub const USERNAMES: Space = Space(12);

/// `[user's id, login's id]` → a login; tokens of one that isn't there are none.
pub const LOGINS: Space = Space(13);

/// `[key's id]` → [`ApiKey`](crate::model::account::ApiKey), and the key's hash.
pub const KEYS: Space = Space(14);

/// `[SHA-256 of a key, in hexadecimal]` → the key's id.
pub const KEY_HASHES: Space = Space(15);

/// `[user's id, key's id]` → the key's id again: the keys of a user.
pub const KEYS_OF_USER: Space = Space(16);

/// `[signing key's id]` → what signs tokens, or has signed some that are still good.
pub const SIGNING_KEYS: Space = Space(17);

/// `[user:ID or key:ID]` → when it was last seen.
pub const SEEN: Space = Space(18);

/// `[role, active or disabled]` → how many users are so (a counter).
pub const USER_COUNTS: Space = Space(19);

/// `[user:ID, key:ID or all; day or month; calls, tokens or nanodollars]` → what was used then (a counter).
pub const SPENT: Space = Space(20);

/// `[time in microseconds, event's id]` → a security event.
pub const AUDIT: Space = Space(21);

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

/// `[plugin, key]` → what the plugin remembers under that key.
pub const PLUGIN_MEMORY: Space = Space(100);
/// `[plugin]` → how much of its quota the plugin uses.
pub const PLUGIN_MEMORY_USED: Space = Space(101);
