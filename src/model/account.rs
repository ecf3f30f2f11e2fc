//! Users and their keys: who they are, what they may do, and how much of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Somebody with an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// A UUID; later ones are greater.
    pub id: String,
    /// In small letters; no two users have the same.
    pub email: String,
    /// No two users have the same, whatever the case.
    pub username: String,
    /// What people call them.
    pub full_name: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whether they may do it.
    pub is_active: bool,
    /// Their password's hash, with how it was made.
    pub password: String,
    /// Since when they are known.
    pub created_at: Timestamp,
    /// What bounds them.
    #[serde(default)]
    pub limits: Limits,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, and everybody else's account.
    Admin,
    /// Everything of their own.
    User,
    /// Look at their own.
    Viewer,
}

/// A key that stands for a user, or for itself. What it is isn't kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    /// A UUID; later ones are greater.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Whose it is; nobody's where it stands for itself.
    pub user: Option<String>,
    /// Its first characters, so that its owner knows it again.
    pub prefix: String,
    /// What it may do of what its owner may.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is none.
    pub expires_at: Option<Timestamp>,
    /// What bounds it, beside what bounds its owner.
    #[serde(default)]
    pub limits: Limits,
}

/// A part of what a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Look.
    Read,
    /// Do what the owner may do, but for what the next two say.
    Write,
    /// Change the owner's account: keys, the password.
    Account,
    /// What only administrators may.
    Admin,
}

/// How much a user or a key may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Models that may be asked, all where it is empty: `provider/model` or a route's name; a `*` at the end stands for any rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// US dollars a day, from midnight to midnight UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_day: Option<f64>,
    /// US dollars a calendar month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_month: Option<f64>,
    /// Tokens of prompts and answers together, a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_day: Option<u64>,
    /// The same a calendar month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_month: Option<u64>,
    /// One of `server.rate_limit.classes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_class: Option<String>,
}

/// A user or a key as a caller.
#[derive(Clone, Debug)]
pub struct Member {
    /// Whose what they make is: the user's id, or that of a key that stands for itself.
    pub id: String,
    /// What they may do.
    pub role: Role,
    /// How they showed who they are.
    pub credential: Credential,
    /// Who is held to what: the user, and the key.
    pub bounds: Vec<Bound>,
}

/// How a member showed who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// With a token that a login gave.
    Login {
        /// Names the login.
        id: String,
    },
    /// With a key.
    Key {
        /// Names the key.
        id: String,
        /// What it may do.
        scopes: Vec<Scope>,
    },
}

/// Limits, and whose they are.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Names who is counted: `user:ID` or `key:ID`.
    pub subject: String,
    /// What bounds them.
    pub limits: Limits,
}

/// What an endpoint asks of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To look.
    Read,
    /// To do something, or have it done.
    Write,
    /// To change their account.
    Account,
    /// To administer.
    Admin,
}

// === impl Role ===

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Admin, Self::User, Self::Viewer];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Viewer => "viewer",
        }
    }

    /// The role of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

// === impl Scope ===

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Account, Self::Admin];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Account => "account",
            Self::Admin => "admin",
        }
    }

    /// The scope of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

// === impl Member ===

impl Member {
    /// Whether they may do what `right` says.
    pub fn may(&self, right: Right) -> bool {
        let scoped = |wanted: &[Scope]| match &self.credential {
            Credential::Login { .. } => true,
            Credential::Key { scopes, .. } => scopes.iter().any(|scope| wanted.contains(scope)),
        };
        match right {
            Right::Read => scoped(&Scope::ALL),
            Right::Write => self.role != Role::Viewer && scoped(&[Scope::Write, Scope::Admin]),
            Right::Account => scoped(&[Scope::Account]),
            Right::Admin => self.role == Role::Admin && scoped(&[Scope::Admin]),
        }
    }

    /// Which login it was, if it was one.
    pub fn login(&self) -> Option<&str> {
        match &self.credential {
            Credential::Login { id } => Some(id),
            Credential::Key { .. } => None,
        }
    }
}

// === impl Limits ===

impl Limits {
    /// Whether `model` of `provider`, or the route `asked` that led there, may be asked.
    pub fn allow(&self, asked: Option<&str>, provider: &str, model: &str) -> bool {
        let full = format!("{provider}/{model}");
        let fits = |pattern: &String, name: &str| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => pattern == name,
        };
        self.models.is_empty()
            || self.models.iter().any(|pattern| fits(pattern, &full) || asked.is_some_and(|asked| fits(pattern, asked)))
    }

    /// Whether what is used has to be counted before it is.
    pub fn has_budget(&self) -> bool {
        self.usd_per_day.is_some()
            || self.usd_per_month.is_some()
            || self.tokens_per_day.is_some()
            || self.tokens_per_month.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(role: Role, credential: Credential) -> Member {
        Member { id: "u".into(), role, credential, bounds: Vec::new() }
    }

    fn key(scopes: &[Scope]) -> Credential {
        Credential::Key { id: "k".into(), scopes: scopes.to_vec() }
    }

    #[test]
    fn a_role_and_a_scope_both_have_to_allow() {
        use Right::{Account, Admin, Read, Write};
        let login = || Credential::Login { id: "l".into() };
        let rights = |member: Member| [Read, Write, Account, Admin].map(|right| member.may(right));
        assert_eq!(rights(member(Role::Admin, login())), [true, true, true, true]);
        assert_eq!(rights(member(Role::User, login())), [true, true, true, false]);
        assert_eq!(rights(member(Role::Viewer, login())), [true, false, true, false]);
        assert_eq!(rights(member(Role::Admin, key(&[Scope::Read]))), [true, false, false, false]);
        assert_eq!(rights(member(Role::Admin, key(&[Scope::Write]))), [true, true, false, false]);
        assert_eq!(rights(member(Role::Admin, key(&[Scope::Admin]))), [true, true, false, true]);
        assert_eq!(rights(member(Role::User, key(&[Scope::Admin]))), [true, true, false, false]);
        assert_eq!(rights(member(Role::Viewer, key(&Scope::ALL))), [true, false, true, false]);
        assert_eq!(rights(member(Role::User, key(&[]))), [false; 4]);
    }

    #[test]
    fn a_list_of_models_names_models_and_routes() {
        let limits = |models: &[&str]| Limits {
            models: models.iter().map(|model| (*model).to_owned()).collect(),
            ..Limits::default()
        };
        assert!(limits(&[]).allow(None, "openai", "gpt-4o"));
        assert!(limits(&["openai/gpt-4o"]).allow(Some("gpt-4o"), "openai", "gpt-4o"));
        assert!(limits(&["openai/*"]).allow(None, "openai", "gpt-4o"));
        assert!(limits(&["fast"]).allow(Some("fast"), "groq", "llama"));
        assert!(!limits(&["fast"]).allow(Some("faster"), "groq", "llama"));
        assert!(!limits(&["openai/gpt-4o"]).allow(Some("fast"), "openai", "gpt-4o-mini"));
        assert!(!limits(&["openai/*"]).allow(None, "openai2", "gpt-4o"));
    }
}
