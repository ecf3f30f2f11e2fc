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

/// `[owner, session]` → [`Session`](crate::model::session::Session).
pub const SESSIONS: Space = Space(40);
/// `[session]` → whose it is; of sessions that are listed.
pub const SESSION_OWNERS: Space = Space(41);
/// `[owner, status, mode, provider, age, session]` → its id; the newest first. Each of the three is there with its value and
/// empty, which is any, in every combination: a filtered list is a range.
pub const SESSION_LISTS: Space = Space(42);
/// `[owner, status, mode, provider]` → how many stand in that list, a counter.
pub const SESSION_COUNTS: Space = Space(43);
/// `[status]` → how many listed sessions of all owners there are, a counter.
pub const SESSION_TOTALS: Space = Space(44);
/// `[owner, session, number]` → [`Message`](crate::model::session::Message), from 1 on without gaps.
pub const MESSAGES: Space = Space(45);
/// `[owner, session, number]` → [`ToolCall`](crate::model::session::ToolCall), from 1 on without gaps.
pub const TOOL_CALLS: Space = Space(46);
/// `[session]` → [`Lease`](crate::model::session::Lease): who works in it.
pub const LEASES: Space = Space(47);
/// `[what, milliseconds, owner, id]` → the same: what is to be looked at then, or later, whether it has outlived its use.
pub const AGES: Space = Space(48);
