//! Logging in, going on, logging out.
//!
//! A login is a record that its tokens name; taking it away ends them all, at once. The refresh token stays the same until it
//! ends: callers of this API aren't given another with each access token.

use jiff::SignedDuration;
use serde_json::json;

use super::Accounts;
use super::audit::Origin;
use super::directory::disabled;
use super::passwords::Tried;
use super::records::{self, Login, Seen};
use super::token::{Claims, TokenKind, bad};
use super::user::check_password;
use crate::model::account::User;
use crate::model::{Error, Kind, Result};
use crate::service::clock;
use crate::store::{Change, Committed};

/// What a login gives.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Shown with every request.
    pub access: String,
    /// Shown to have another access token; absent where one was shown.
    pub refresh: Option<String>,
    /// Seconds for which the access token is good.
    pub expires_in: u64,
}

/// Logins of one user at once; the oldest ends when there are more.
const MOST: usize = 100;

impl Accounts {
    /// Logs in whoever knows the password of the account with that address or name.
    ///
    /// # Errors
    /// If it isn't theirs, there were too many attempts, or the account may do nothing.
    pub async fn log_in(&self, name: &str, password: &str, origin: &Origin) -> Result<Tokens> {
        let attempt = match self.attempts.count(Some(name.trim()), origin.address()) {
            Ok(attempt) => attempt,
            Err(error) => {
                tracing::warn!(address = %origin.address(), "too many attempts to log in");
                return Err(error);
            }
        };
        let user = self.lookup(name.trim()).await?;
        let known = user.as_ref().map(|user| user.password.as_str());
        let tried = match self.passwords.verify(password, known).await {
            Ok(tried) => tried,
            Err(error) => {
                // Nothing was tried.
                attempt.take_back();
                return Err(error);
            }
        };
        let (Some(user), Tried::Right { renewed }) = (user.as_ref(), tried) else {
            let subject = user.as_ref().map(|user| user.id.as_str());
            self.audit.refused(origin, "login", "wrong password", subject, json!({})).await;
            return Err(Error::caller(Kind::Unauthenticated, "Incorrect email or password"));
        };
        attempt.take_back();
        if !user.is_active {
            self.audit.refused(origin, "login", "account disabled", Some(&user.id), json!({})).await;
            return Err(disabled());
        }
        if let Some(renewed) = renewed {
            let (renewed, old) = (&renewed, &user.password);
            let keep = |user: &mut User| {
                if user.password == *old {
                    user.password.clone_from(renewed);
                }
                false
            };
            self.update_user(&user.id, origin, "password.rehashed", json!({}), keep).await?;
        }
        self.begin_login(user, origin).await
    }

    async fn begin_login(&self, user: &User, origin: &Origin) -> Result<Tokens> {
        let (now, id) = (self.clock.now(), clock::uuid());
        let lifetime = SignedDuration::try_from(self.settings.refresh_lifetime).unwrap_or(SignedDuration::MAX);
        let expires_at = now.saturating_add(lifetime).map_err(Error::internal)?;
        let login = Login { address: origin.address().to_string(), created_at: now, expires_at };
        let mut change = Change::default();
        // Ids are in the order of time, and so are these.
        let before = self.store.list::<Login>(records::logins(&user.id).within(), 2 * MOST).await?;
        let too_many = (before.len() + 1).saturating_sub(MOST);
        for (index, old) in before.iter().enumerate() {
            if index < too_many || old.record.expires_at <= now {
                change.remove(old);
            }
        }
        change.insert(records::login(&user.id, &id), &login)?;
        change.put(records::seen(&records::user_subject(&user.id)), &Seen { at: now })?;
        self.audit.put(&mut change, origin, "login", Some(&user.id), json!({"login": id}))?;
        if self.store.commit(change).await? == Committed::Conflict {
            // Another login has tidied up at the same time.
            let mut change = Change::default();
            change.insert(records::login(&user.id, &id), &login)?;
            self.audit.put(&mut change, origin, "login", Some(&user.id), json!({"login": id}))?;
            if self.store.commit(change).await? == Committed::Conflict {
                return Err(Error::internal("a fresh login has the id of another"));
            }
        } else if too_many > 0 {
            self.directory.forget();
        }
        let refresh = self.token(&user.id, &id, TokenKind::Refresh).await?;
        let access = self.token(&user.id, &id, TokenKind::Access).await?;
        Ok(Tokens { access, refresh: Some(refresh), expires_in: self.settings.access_lifetime.as_secs() })
    }

    /// Another access token for who shows a refresh token.
    ///
    /// # Errors
    /// If it is none of ours, has ended, was revoked, or the account may do nothing.
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<Tokens> {
        let bad_one = |error: Error| match error.kind() {
            Kind::Unauthenticated => Error::caller(Kind::Unauthenticated, "Invalid or expired refresh token"),
            _ => error,
        };
        let claims = self.signer.verify(token, TokenKind::Refresh).await.map_err(bad_one)?;
        if let Err(error) = self.directory.by_login(&claims.sub, &claims.sid).await {
            self.audit.refused(origin, "login.refreshed", error.public(), Some(&claims.sub), json!({})).await;
            return Err(bad_one(error));
        }
        let access = self.token(&claims.sub, &claims.sid, TokenKind::Access).await?;
        Ok(Tokens { access, refresh: None, expires_in: self.settings.access_lifetime.as_secs() })
    }

    async fn token(&self, user: &str, login: &str, kind: TokenKind) -> Result<String> {
        let lifetime = match kind {
            TokenKind::Access => self.settings.access_lifetime,
            TokenKind::Refresh => self.settings.refresh_lifetime,
        };
        let now = self.clock.unix();
        let exp = now.saturating_add_unsigned(lifetime.as_secs());
        let (sub, sid) = (user.to_owned(), login.to_owned());
        self.signer.sign(&Claims { sub, kind, jti: clock::uuid(), sid, iat: now, exp }).await
    }

    /// Ends one login of a user; it may be over already. Says how many ended.
    ///
    /// # Errors
    /// If the store can't be used.
    pub async fn log_out(&self, user: &str, login: &str, origin: &Origin) -> Result<u64> {
        let Some(stored) = self.store.read::<Login>(records::login(user, login)).await? else { return Ok(0) };
        let mut change = Change::removal();
        change.remove(&stored);
        self.audit.put(&mut change, origin, "logout", Some(user), json!({"login": login}))?;
        let done = self.store.commit(change).await?;
        self.directory.forget();
        Ok(u64::from(done == Committed::Done))
    }

    /// Ends all logins of a user. Says how many ended.
    ///
    /// # Errors
    /// If the store can't be used.
    pub async fn log_out_everywhere(&self, user: &str, origin: &Origin) -> Result<u64> {
        let range = records::logins(user).within();
        let ended = self.store.keys(range.clone(), false, usize::MAX).await?.len();
        let mut change = Change::removal();
        change.delete_range(range);
        self.audit.put(&mut change, origin, "logout.everywhere", Some(user), json!({"logins": ended}))?;
        if self.store.commit(change).await? == Committed::Conflict {
            return Err(Error::internal("the logins could not be ended"));
        }
        self.directory.forget();
        Ok(u64::try_from(ended).unwrap_or(u64::MAX))
    }

    /// Gives a user another password, if they know the one that they have. All their logins end.
    ///
    /// # Errors
    /// If they don't, the new one is none, or there were too many attempts.
    pub async fn change_password(&self, user: &str, current: &str, new: &str, origin: &Origin) -> Result<()> {
        check_password(new, "new_password")?;
        let attempt = self.attempts.count(Some(user), origin.address())?;
        let known = self.user(user).await.map_err(|_| bad())?;
        let Tried::Right { .. } = self.passwords.verify(current, Some(&known.password)).await? else {
            self.audit.refused(origin, "password.changed", "wrong password", Some(user), json!({})).await;
            return Err(Error::caller(Kind::Unauthenticated, "Incorrect password"));
        };
        attempt.take_back();
        let hash = self.passwords.hash(new).await?;
        let change = |user: &mut User| {
            user.password.clone_from(&hash);
            true
        };
        self.update_user(user, origin, "password.changed", json!({}), change).await?;
        Ok(())
    }
}
