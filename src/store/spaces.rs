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

/// `[plugin, key]` → what the plugin remembers under that key.
pub const PLUGIN_MEMORY: Space = Space(100);
/// `[plugin]` → how much of its quota the plugin uses.
pub const PLUGIN_MEMORY_USED: Space = Space(101);
