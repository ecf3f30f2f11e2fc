//! Accounts: who there is, how they show it, what they may do.
//!
//! The contract is [`Accounts`]. A caller is known by a token that a login gave ([`token`]) or by a key ([`directory`]); both are
//! looked up in the store, where only hashes are kept, and remembered for a moment.

mod attempts;
mod audit;
mod commands;
mod directory;
mod erasure;
mod key;
mod login;
mod mail;
mod passwords;
mod records;
mod signature;
mod sweep;
mod token;
mod user;

use std::sync::{Arc, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::attempts::Attempts;
use self::audit::Audit;
pub use self::audit::{Event, Origin, Search};
pub use self::commands::COMMANDS;
use self::directory::Directory;
pub use self::erasure::Belongings;
pub use self::key::{KeyKind, KeyView, NewKey};
pub use self::login::Tokens;
use self::passwords::Passwords;
use self::token::{Signer, TokenKind};
pub use self::user::{NewUser, UserChange};
use super::{Clock, clock};
use crate::config;
use crate::model::Result;
use crate::model::account::Member;
use crate::store::{Change, Committed, Key, Store, spaces};

/// See the module.
pub struct Accounts {
    store: Store,
    clock: Clock,
    settings: config::Auth,
    directory: Directory,
    signer: Signer,
    passwords: Passwords,
    attempts: Attempts,
    audit: Audit,
    /// Whether accounts are made for whoever asks.
    registers: bool,
    /// The classes of rates that there are.
    classes: Vec<String>,
    /// Who keeps what users own.
    keepers: RwLock<Vec<Arc<dyn Belongings>>>,
}

/// What keys begin with: those that callers make, and those that the operator makes.
pub const KEY_PREFIXES: [&str; 2] = ["md_", "token-"];

// === impl Accounts ===

impl Accounts {
    /// Those that `store` keeps.
    pub fn new(store: Store, server: &config::Server, clock: Clock) -> Self {
        let settings = server.auth.clone();
        Self {
            directory: Directory::new(store.clone(), clock.clone()),
            signer: Signer::new(store.clone(), clock.clone(), &settings),
            passwords: Passwords::new(settings.passwords),
            attempts: Attempts::new(&settings, clock.clone()),
            audit: Audit::new(store.clone(), clock.clone()),
            registers: user::registers(server),
            classes: server.rate_limit.classes.keys().cloned().collect(),
            keepers: RwLock::default(),
            store,
            clock,
            settings,
        }
    }

    /// Reads what signs tokens, or makes it.
    ///
    /// # Errors
    /// If the store can't be used.
    pub async fn prepare(&self) -> Result<()> {
        self.signer.prepare().await
    }

    /// A password that nobody can guess.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn fresh_password() -> Result<String> {
        Ok(URL_SAFE_NO_PAD.encode(clock::random::<15>()?))
    }

    /// Makes a new key that signs tokens from now on; tokens that older ones signed stay good. Says its name.
    ///
    /// # Errors
    /// If the store can't be used.
    pub async fn rotate_signing_key(&self, origin: &Origin) -> Result<String> {
        let id = self.signer.rotate().await?;
        let mut change = Change::default();
        self.audit.put(&mut change, origin, "signing-key.created", Some(&id), serde_json::json!({}))?;
        let _: Committed = self.store.commit(change).await?;
        Ok(id)
    }

    /// A page of what `search` wants of the audit log, in the order in which it happened, and where the next one begins.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn events(&self, search: &Search, from: Option<Vec<u8>>) -> Result<(Vec<Event>, Option<Vec<u8>>)> {
        self.audit.page(search, from).await
    }

    /// Whose `token` is.
    ///
    /// # Errors
    /// If it is none of ours, has ended, or its owner may do nothing.
    pub async fn by_token(&self, token: &str) -> Result<Arc<Member>> {
        let claims = self.signer.verify(token, TokenKind::Access).await?;
        self.directory.by_login(&claims.sub, &claims.sid).await
    }

    /// Member `id` as it stands now, for work that it began earlier, by the kept key `key` or logged in.
    ///
    /// # Errors
    /// If the account or the key is gone, or may do nothing any more.
    pub async fn again(&self, id: &str, key: Option<&str>) -> Result<Arc<Member>> {
        self.directory.again(id, key).await
    }

    /// Whose `key` is; nobody's if it is unknown.
    ///
    /// # Errors
    /// If it has expired, or its owner may do nothing.
    pub async fn by_key(&self, key: &[u8]) -> Result<Option<Arc<Member>>> {
        self.directory.by_key(key).await
    }
}

/// Where what `subject` has used is counted.
fn budget_keys(subject: &str) -> Key {
    spaces::SPENT.key().text(subject)
}
