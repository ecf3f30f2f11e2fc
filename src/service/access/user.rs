//! Users: made, found, changed.

use jiff::Timestamp;
use serde_json::json;

use super::audit::Origin;
use super::records::{self, Id, Seen};
use super::{Accounts, mail};
use crate::config::Registration;
use crate::model::account::{Limits, Role, User};
use crate::model::{Error, Fault, Kind, Result};
use crate::service::clock;
use crate::store::{Change, Committed, Stored, spaces};

/// Somebody who wants an account.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// Their address.
    pub email: String,
    /// The part before the `@` where left out, made to differ from others.
    pub username: Option<String>,
    /// Their password.
    pub password: String,
    /// What people call them.
    pub full_name: Option<String>,
}

/// What is to be different with a user.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Another role.
    pub role: Option<Role>,
    /// Whether they may do anything.
    pub is_active: Option<bool>,
    /// What people call them.
    pub full_name: Option<String>,
    /// Other limits, all of them.
    pub limits: Option<Limits>,
    /// Another password, which ends their logins.
    pub password: Option<String>,
}

/// The shortest password, in characters.
const SHORTEST: usize = 8;
/// The longest, in bytes.
const LONGEST: usize = 1024;
/// The longest name.
const LONGEST_NAME: usize = 128;
/// Users who are read at once.
const PAGE: usize = 500;
/// How often a change is tried again that met another one.
const TRIES: usize = 16;

impl Accounts {
    /// Makes an account for whoever asks for one, if that is allowed.
    ///
    /// # Errors
    /// If it isn't, or something is wrong with what is wanted, or the address or the name is taken.
    pub async fn register(&self, wanted: NewUser, origin: &Origin) -> Result<User> {
        if !self.registers {
            let what = "registration is closed; the operator makes accounts with `mortise users create`, or opens it with \
                        server.auth.registration: open";
            return Err(Error::new(Kind::Forbidden, Fault::Caller, what));
        }
        // Never given back: this is about how many accounts an address may make, too.
        drop(self.attempts.count(None, origin.address())?);
        self.create_user(wanted, Role::User, origin).await
    }

    /// Makes an account.
    ///
    /// # Errors
    /// If something is wrong with what is wanted, or the address or the name is taken.
    pub async fn create_user(&self, wanted: NewUser, role: Role, origin: &Origin) -> Result<User> {
        let email = mail::check(&wanted.email)?;
        check_password(&wanted.password, "password")?;
        let full_name = wanted.full_name.map(|name| check_name(&name, "full_name")).transpose()?;
        let named = wanted.username.is_some();
        let mut username = match wanted.username {
            Some(name) => check_name(&name, "username")?,
            None => email.split('@').next().unwrap_or_default().chars().take(LONGEST_NAME - 10).collect(),
        };
        let password = self.passwords.hash(&wanted.password).await?;
        for _ in 0..TRIES {
            let user = User {
                id: clock::uuid(),
                email: email.clone(),
                username: username.clone(),
                full_name: full_name.clone(),
                role,
                is_active: true,
                password: password.clone(),
                created_at: self.clock.now(),
                limits: Limits::default(),
            };
            let mut change = Change::default();
            change.insert(records::user(&user.id), &user)?;
            change.insert(records::email(&user.email), &Id(user.id.clone()))?;
            change.insert(records::username(&user.username), &Id(user.id.clone()))?;
            change.add(records::count(role, true), 1);
            self.audit.put(&mut change, origin, "user.created", Some(&user.id), json!({"role": role.as_str()}))?;
            if self.store.commit(change).await? == Committed::Done {
                return Ok(user);
            }
            let taken = |what: &str| Error::caller(Kind::Conflict, format!("this {what} is taken already"));
            if self.store.get::<Id>(records::email(&email)).await?.is_some() {
                return Err(taken("e-mail address"));
            }
            if named {
                return Err(taken("username"));
            }
            let [a, b, c] = clock::random::<3>()?;
            let stem = email.split('@').next().unwrap_or_default();
            username = format!("{}-{a:02x}{b:02x}{c:02x}", stem.chars().take(LONGEST_NAME - 10).collect::<String>());
        }
        Err(Error::internal("no name for the account is free"))
    }

    /// The user of that id.
    ///
    /// # Errors
    /// If there is none.
    pub async fn user(&self, id: &str) -> Result<User> {
        self.store.get(records::user(id)).await?.ok_or_else(not_found)
    }

    /// The user of that id, address or name.
    ///
    /// # Errors
    /// If there is none.
    pub async fn find_user(&self, name: &str) -> Result<User> {
        match self.lookup(name).await? {
            Some(user) => Ok(user),
            None => self.user(name).await,
        }
    }

    /// The user of that address or name, if there is one.
    pub(super) async fn lookup(&self, name: &str) -> Result<Option<User>> {
        let key = if name.contains('@') { records::email(&name.to_lowercase()) } else { records::username(name) };
        let Some(Id(id)) = self.store.get(key).await? else { return Ok(None) };
        self.store.get(records::user(&id)).await
    }

    /// Users who have `role` and are so, where that is said: at most `limit` behind the first `skip`, in the order in which their
    /// accounts were made; and how many there are.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn list_users(
        &self,
        role: Option<Role>,
        is_active: Option<bool>,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<User>, usize)> {
        let total = usize::try_from(self.count_users(role, is_active).await?).unwrap_or_default();
        let wanted = |user: &User| {
            role.is_none_or(|role| user.role == role) && is_active.is_none_or(|active| user.is_active == active)
        };
        let (mut found, mut passed, mut range) = (Vec::new(), 0, records::all(spaces::USERS).within());
        while found.len() < limit {
            let read = self.store.list::<User>(range.clone(), PAGE).await?;
            let Some(last) = read.last() else { break };
            range.start = [last.key(), &[0]].concat();
            let whole = read.len() == PAGE;
            for user in read.into_iter().map(|stored| stored.record).filter(wanted) {
                passed += 1;
                if passed > skip && found.len() < limit {
                    found.push(user);
                }
            }
            if !whole {
                break;
            }
        }
        Ok((found, total))
    }

    /// How many users have `role` and are so, where that is said.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn count_users(&self, role: Option<Role>, is_active: Option<bool>) -> Result<i64> {
        let roles = Role::ALL.into_iter().filter(|one| role.is_none_or(|role| role == *one));
        let both = |role| [true, false].map(|active| (role, active));
        let kinds = roles.flat_map(both).filter(|(_, active)| is_active.is_none_or(|wanted| wanted == *active));
        let counts = self.store.counters(kinds.map(|(role, active)| records::count(role, active)).collect()).await?;
        Ok(counts.iter().sum())
    }

    /// When the user last logged in.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn last_login(&self, id: &str) -> Result<Option<Timestamp>> {
        Ok(self.store.get::<Seen>(records::seen(&records::user_subject(id))).await?.map(|seen| seen.at))
    }

    /// Changes a user. Who may do less from now on has to be able to do less at once, so logins are looked up again, and end
    /// where the account is disabled or the password is another.
    ///
    /// # Errors
    /// If there is no such user, or something is wrong with what is wanted.
    pub async fn change_user(&self, id: &str, wanted: UserChange, origin: &Origin) -> Result<User> {
        if let Some(password) = &wanted.password {
            check_password(password, "password")?;
        }
        let full_name = wanted.full_name.as_deref().map(|name| check_name(name, "full_name")).transpose()?;
        if let Some(limits) = &wanted.limits {
            self.check_limits(limits)?;
        }
        let stays_admin = wanted.role.is_none_or(|role| role == Role::Admin) && wanted.is_active != Some(false);
        if !stays_admin {
            self.keep_an_admin(&self.user(id).await?).await?;
        }
        let password = match &wanted.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let told = json!({
            "role": wanted.role.map(Role::as_str),
            "is_active": wanted.is_active,
            "limits": wanted.limits,
            "password": wanted.password.as_ref().map(|_| "changed"),
        });
        let user = self
            .update_user(id, origin, "user.changed", told, |user| {
                user.role = wanted.role.unwrap_or(user.role);
                user.is_active = wanted.is_active.unwrap_or(user.is_active);
                user.full_name = full_name.clone().or(user.full_name.take());
                user.limits = wanted.limits.clone().unwrap_or(std::mem::take(&mut user.limits));
                user.password = password.clone().unwrap_or(std::mem::take(&mut user.password));
                password.is_some() || wanted.is_active == Some(false)
            })
            .await?;
        Ok(user)
    }

    /// Changes the record; `change` says whether the user's logins end.
    pub(super) async fn update_user(
        &self,
        id: &str,
        origin: &Origin,
        action: &str,
        told: serde_json::Value,
        change: impl Fn(&mut User) -> bool,
    ) -> Result<User> {
        for _ in 0..TRIES {
            let stored: Stored<User> = self.store.read(records::user(id)).await?.ok_or_else(not_found)?;
            let (before, mut user) = ((stored.record.role, stored.record.is_active), stored.record.clone());
            let ends = change(&mut user);
            let mut batch = if ends { Change::removal() } else { Change::default() };
            batch.replace(&stored, &user)?;
            if before != (user.role, user.is_active) {
                batch.add(records::count(before.0, before.1), -1);
                batch.add(records::count(user.role, user.is_active), 1);
            }
            if ends {
                batch.delete_range(records::logins(id).within());
            }
            let told = without_nulls(told.clone());
            self.audit.put(&mut batch, origin, action, Some(id), told)?;
            if self.store.commit(batch).await? == Committed::Done {
                self.directory.forget();
                return Ok(user);
            }
        }
        Err(Error::caller(Kind::Conflict, "the account is being changed by others; try again"))
    }
}

fn without_nulls(mut value: serde_json::Value) -> serde_json::Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}

fn not_found() -> Error {
    Error::caller(Kind::NotFound, "User not found")
}

pub(super) fn wrong(field: &str, what: &str) -> Error {
    Error::invalid(field, format!("Invalid value for {field}: {what}")).with_details(json!({"field": field}))
}

pub(super) fn check_password(password: &str, field: &str) -> Result<()> {
    if password.chars().count() < SHORTEST {
        return Err(wrong(field, &format!("a password has {SHORTEST} characters at least")));
    }
    if password.len() > LONGEST {
        return Err(wrong(field, &format!("a password has {LONGEST} bytes at most")));
    }
    Ok(())
}

pub(super) fn check_name(name: &str, field: &str) -> Result<String> {
    let control = name.chars().any(char::is_control);
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > LONGEST_NAME || control {
        return Err(wrong(
            field,
            &format!("a name has 1 to {LONGEST_NAME} characters, none of them a control character"),
        ));
    }
    if field == "username" && name.contains('@') {
        return Err(wrong(field, "a name has no @, which would make it an address"));
    }
    Ok(name.to_owned())
}

/// Whether accounts are made for whoever asks.
pub(super) fn registers(server: &crate::config::Server) -> bool {
    match server.auth.registration {
        Some(registration) => registration == Registration::Open,
        // Where somebody is asked for a key, an account for everybody would be a way around it.
        None => !server.auth.asks() && server.listeners().iter().all(|listen| listen.address.ip().is_loopback()),
    }
}
