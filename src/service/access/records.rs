//! What is kept of accounts, beside [`User`] and [`ApiKey`] themselves, and under which keys.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::account::{ApiKey, Role, User};
use crate::store::{Key, Record, Space, spaces};

/// The id of what a key leads to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Id(pub(super) String);

/// A key as it is kept: with its hash, so that the index can be found from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeyRecord {
    #[serde(flatten)]
    pub(super) key: ApiKey,
    /// SHA-256 in hexadecimal.
    pub(super) hash: String,
    /// What one that stands for itself may do at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
}

/// A login that tokens belong to.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Login {
    /// From where.
    pub(super) address: String,
    pub(super) created_at: Timestamp,
    /// When the last token of it has ended.
    pub(super) expires_at: Timestamp,
}

/// When something was last used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) at: Timestamp,
}

impl Record for User {}
impl Record for KeyRecord {}
impl Record for Id {}
impl Record for Login {}
impl Record for Seen {}

/// Where the user stands.
pub(super) fn user(id: &str) -> Key {
    spaces::USERS.key().text(id)
}

pub(super) fn email(email: &str) -> Key {
    spaces::EMAILS.key().text(email)
}

pub(super) fn username(name: &str) -> Key {
    spaces::USERNAMES.key().text(&name.to_lowercase())
}

/// Where the logins of a user stand.
pub(super) fn logins(user: &str) -> Key {
    spaces::LOGINS.key().text(user)
}

pub(super) fn login(user: &str, id: &str) -> Key {
    logins(user).text(id)
}

pub(super) fn key(id: &str) -> Key {
    spaces::KEYS.key().text(id)
}

pub(super) fn key_hash(hash: &str) -> Key {
    spaces::KEY_HASHES.key().text(hash)
}

/// Where the keys of a user are named.
pub(super) fn keys_of(user: &str) -> Key {
    spaces::KEYS_OF_USER.key().text(user)
}

pub(super) fn seen(subject: &str) -> Key {
    spaces::SEEN.key().text(subject)
}

pub(super) fn count(role: Role, is_active: bool) -> Key {
    spaces::USER_COUNTS.key().text(role.as_str()).text(if is_active { "active" } else { "disabled" })
}

/// All keys of `space`.
pub(super) fn all(space: Space) -> Key {
    space.key()
}

/// How a key is known.
pub(super) fn hash(key: &[u8]) -> String {
    format!("{:x}", Sha256::digest(key))
}

/// Who is counted and seen as this user.
pub(super) fn user_subject(id: &str) -> String {
    format!("user:{id}")
}

/// Who is counted and seen as this key.
pub(super) fn key_subject(id: &str) -> String {
    format!("key:{id}")
}
