//! What the operator asks at the command line: by name, in JSON, in the process that has the store.
//!
//! While a server runs, that is the server, which is asked over its control socket; else it is the command itself.

use jiff::{Span, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Accounts, KeyKind, KeyView, NewKey, NewUser, Origin, UserChange};
use crate::model::account::{Limits, Role, Scope, User};
use crate::model::{Error, Kind, Result};
use crate::service::clock;

/// The names of all commands.
pub const COMMANDS: [&str; 9] = [
    "users.create",
    "users.list",
    "users.change",
    "users.reset-password",
    "users.delete",
    "tokens.create",
    "tokens.list",
    "tokens.revoke",
    "tokens.rotate",
];

/// A user who is named, and what is to be different.
#[derive(Deserialize)]
struct Changed {
    user: String,
    role: Option<Role>,
    is_active: Option<bool>,
    limits: Option<Limits>,
}

#[derive(Deserialize)]
struct Created {
    email: String,
    username: Option<String>,
    full_name: Option<String>,
    password: Option<String>,
    role: Role,
}

/// A user or a key that is named.
#[derive(Deserialize)]
struct Named {
    name: String,
    password: Option<String>,
}

#[derive(Deserialize)]
struct TokenWanted {
    name: String,
    user: Option<String>,
    #[serde(default)]
    scopes: Vec<Scope>,
    /// Such as `30d`.
    expires_in: Option<String>,
    #[serde(default)]
    limits: Limits,
}

impl Accounts {
    /// Does what `name`, one of [`COMMANDS`], says.
    ///
    /// # Errors
    /// If it can't be done.
    pub async fn command(&self, name: &str, with: Value) -> Result<Value> {
        let origin = Origin::operator();
        match name {
            "users.create" => {
                let Created { email, username, full_name, password, role } = read(with)?;
                let made = if password.is_none() { Some(Self::fresh_password()?) } else { None };
                let password = password.or_else(|| made.clone()).unwrap_or_default();
                let user = self.create_user(NewUser { email, username, password, full_name }, role, &origin).await?;
                let mut told = self.told_user(user).await?;
                if let (Some(members), Some(made)) = (told.as_object_mut(), made) {
                    members.insert("password".into(), made.into());
                }
                Ok(told)
            }
            "users.list" => {
                let (users, _) = self.list_users(None, None, 0, usize::MAX).await?;
                let mut told = Vec::with_capacity(users.len());
                for user in users {
                    told.push(self.told_user(user).await?);
                }
                Ok(told.into())
            }
            "users.change" => {
                let Changed { user, role, is_active, limits } = read(with)?;
                let id = self.find_user(&user).await?.id;
                let change = UserChange { role, is_active, limits, ..UserChange::default() };
                let user = self.change_user(&id, change, &origin).await?;
                self.told_user(user).await
            }
            "users.reset-password" => {
                let Named { name, password: given } = read(with)?;
                let id = self.find_user(&name).await?.id;
                let password = given.clone().map_or_else(Self::fresh_password, Ok)?;
                let change = UserChange { password: Some(password.clone()), ..UserChange::default() };
                self.change_user(&id, change, &origin).await?;
                Ok(json!({"id": id, "password": given.is_none().then_some(password)}))
            }
            "users.delete" => {
                let Named { name, .. } = read(with)?;
                let id = self.find_user(&name).await?.id;
                self.erase(&id, &origin).await?;
                Ok(json!({"id": id}))
            }
            "tokens.create" => {
                let TokenWanted { name, user, scopes, expires_in, limits } = read(with)?;
                let user = match user {
                    Some(user) => Some(self.find_user(&user).await?.id),
                    None => None,
                };
                let expires_at = expires_in.map(|text| self.after(&text)).transpose()?;
                let wanted = NewKey { name, expires_at, scopes, limits };
                let (text, key) = self.create_key(KeyKind::Token, user.as_deref(), wanted, &origin).await?;
                let mut told = told_key(&KeyView { key, last_used_at: None });
                if let Some(members) = told.as_object_mut() {
                    members.insert("key".into(), text.into());
                }
                Ok(told)
            }
            "tokens.list" => {
                let (keys, _) = self.all_keys(0, usize::MAX).await?;
                Ok(keys.iter().map(told_key).collect::<Vec<_>>().into())
            }
            "tokens.revoke" => {
                let Named { name, .. } = read(with)?;
                let id = self.named_key(&name).await?;
                let key = self.delete_key(&id, None, &origin).await?;
                Ok(told_key(&KeyView { key, last_used_at: None }))
            }
            "tokens.rotate" => Ok(json!({"kid": self.rotate_signing_key(&origin).await?})),
            _ => Err(Error::caller(Kind::NotFound, format!("there is no command `{name}`"))),
        }
    }

    /// The id of the one key that is called so: by its id, its name, or its first characters.
    async fn named_key(&self, name: &str) -> Result<String> {
        let mut found = match self.key(name).await {
            Ok(view) => vec![view],
            Err(error) if error.kind() == Kind::NotFound => self.find_keys(name).await?,
            Err(error) => return Err(error),
        };
        match (found.pop(), found.len()) {
            (Some(view), 0) => Ok(view.key.id),
            (None, _) => Err(Error::caller(
                Kind::NotFound,
                format!("no key is called `{name}`; `mortise tokens list` shows them"),
            )),
            (Some(_), more) => {
                let what = format!("{} keys are called `{name}`; name one by its id", more + 1);
                Err(Error::caller(Kind::Conflict, what))
            }
        }
    }

    /// The time after a span such as `30d`.
    fn after(&self, text: &str) -> Result<Timestamp> {
        let wrong = || Error::invalid("expires_in", format!("`{text}` is no span of time; write 12h, 30d or 1y"));
        let span: Span = text.parse().map_err(|_| wrong())?;
        let now = self.clock.now().to_zoned(jiff::tz::TimeZone::UTC);
        let then = now.checked_add(span).map_err(|_| wrong())?.timestamp();
        if then > self.clock.now() { Ok(then) } else { Err(wrong()) }
    }

    async fn told_user(&self, user: User) -> Result<Value> {
        let last_login = self.last_login(&user.id).await?;
        Ok(json!({
            "id": user.id,
            "email": user.email,
            "username": user.username,
            "full_name": user.full_name,
            "role": user.role.as_str(),
            "is_active": user.is_active,
            "created_at": clock::written(user.created_at),
            "last_login_at": last_login.map(clock::written),
            "limits": user.limits,
        }))
    }
}

fn told_key(KeyView { key, last_used_at }: &KeyView) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "user_id": key.user,
        "scopes": key.scopes,
        "created_at": clock::written(key.created_at),
        "expires_at": key.expires_at.map(clock::written),
        "last_used_at": last_used_at.map(clock::written),
        "limits": key.limits,
    })
}

fn read<T: DeserializeOwned>(with: Value) -> Result<T> {
    serde_json::from_value(with).map_err(|error| Error::caller(Kind::InvalidValue, error.to_string()))
}
