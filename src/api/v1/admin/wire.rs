//! The JSON of `/api/v1/admin`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::account::{Limits, Scope, User};
use crate::service::access::KeyView as Known;
use crate::service::clock;

/// How many there are, and what was used today.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminStats")]
pub(super) struct Stats {
    /// Accounts.
    pub(super) total_users: i64,
    /// Sessions.
    pub(super) total_sessions: u64,
    /// Those that can go on.
    pub(super) active_sessions: u64,
    /// Calls that asked a vendor since midnight UTC.
    pub(super) total_api_calls_today: i64,
    /// What they cost, where prices are known.
    pub(super) total_cost_today_usd: f64,
}

/// Users.
#[derive(Serialize, JsonSchema)]
pub(super) struct UserList {
    /// This page of them.
    pub(super) items: Vec<UserView>,
    /// How many there are on all pages.
    pub(super) total: usize,
    /// How many come before the first one.
    pub(super) skip: usize,
    /// How many at most.
    pub(super) limit: usize,
    /// Other pages.
    pub(super) links: Links,
}

/// Other pages; null where there is none.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminLinks")]
pub(super) struct Links {
    /// The next one.
    next: Option<String>,
    /// The one before.
    prev: Option<String>,
}

/// A user, as administrators see one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminUser")]
pub(super) struct UserView {
    /// Names the user.
    id: String,
    /// Their address, in small letters.
    email: String,
    /// Their other name.
    username: String,
    /// What people call them.
    full_name: Option<String>,
    /// What they may do: `admin`, `user` or `viewer`.
    role: &'static str,
    /// Whether they may do it.
    is_active: bool,
    /// When the account was made.
    created_at: String,
    /// When they last logged in; null is never.
    last_login_at: Option<String>,
    /// What bounds them.
    limits: LimitsView,
}

/// What bounds a user or a key; what is left out has no limit.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Limits")]
pub(super) struct LimitsView {
    /// Models that may be asked, all where it is left out: `provider/model` or a route's name; a `*` at the end stands for any
    /// rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    models: Vec<String>,
    /// US dollars a day, from midnight to midnight UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    usd_per_day: Option<f64>,
    /// US dollars a calendar month.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    usd_per_month: Option<f64>,
    /// Tokens of prompts and answers together, a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_per_day: Option<u64>,
    /// The same a calendar month.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_per_month: Option<u64>,
    /// One of `server.rate_limit.classes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_class: Option<String>,
}

/// A password that was made.
#[derive(Serialize, JsonSchema)]
pub(super) struct ResetView {
    /// Whose it is.
    pub(super) user_id: String,
    /// The password; null where it was given.
    pub(super) password: Option<String>,
}

/// Keys.
#[derive(Serialize, JsonSchema)]
pub(super) struct KeyList {
    /// This page of them.
    pub(super) items: Vec<KeyView>,
    /// How many there are on all pages.
    pub(super) total: usize,
    /// How many come before the first one.
    pub(super) skip: usize,
    /// How many at most.
    pub(super) limit: usize,
    /// Other pages.
    pub(super) links: Links,
}

/// A key, without what it is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminKey")]
pub(super) struct KeyView {
    /// Names it.
    id: String,
    /// What it is called.
    name: String,
    /// Whom it stands for; null is itself.
    user_id: Option<String>,
    /// Its first characters.
    key_prefix: String,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// When it was made.
    created_at: String,
    /// From when on it is none; null is never.
    expires_at: Option<String>,
    /// When it was last used, to the minute; null is never.
    last_used_at: Option<String>,
    /// What bounds it.
    limits: LimitsView,
}

/// A new key. What it is, is told only here.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdminNewKey")]
pub(super) struct NewKeyView {
    /// Shown as `X-API-Key` or as a bearer token.
    pub(super) key: String,
    /// The rest.
    #[serde(flatten)]
    pub(super) view: KeyView,
}

/// Which key signs tokens now.
#[derive(Serialize, JsonSchema)]
pub(super) struct Rotated {
    /// Its name, as it stands in tokens.
    pub(super) kid: String,
}

/// What a user or a key used.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AccountUsage")]
pub(super) struct UsageView {
    /// This calendar month.
    pub(super) month: UsageOf,
    /// Day by day, the newest first.
    pub(super) days: Vec<UsageOf>,
}

/// What was used within a day or a month.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AccountUsageOf")]
pub(super) struct UsageOf {
    /// The day, or the month, of UTC.
    pub(super) period: String,
    /// Calls that asked a vendor.
    pub(super) calls: i64,
    /// Tokens of prompts and answers.
    pub(super) tokens: i64,
    /// US dollars, where prices are known.
    pub(super) cost_usd: f64,
}

// === writing ===

impl Links {
    /// Those beside a page of `path`, whose query says `rest` too.
    pub(super) fn of(path: &str, rest: &str, skip: usize, limit: usize, total: usize) -> Self {
        let to = |skip: usize| format!("{path}?skip={skip}&limit={limit}{rest}");
        let next = skip.checked_add(limit).filter(|next| *next < total).map(to);
        Self { next, prev: (skip > 0).then(|| to(skip.saturating_sub(limit))) }
    }
}

impl UserView {
    pub(super) fn of(user: User, last_login_at: Option<jiff::Timestamp>) -> Self {
        Self {
            id: user.id,
            email: user.email,
            username: user.username,
            full_name: user.full_name,
            role: user.role.as_str(),
            is_active: user.is_active,
            created_at: clock::written(user.created_at),
            last_login_at: last_login_at.map(clock::written),
            limits: LimitsView::of(user.limits),
        }
    }
}

impl LimitsView {
    fn of(limits: Limits) -> Self {
        let Limits { models, usd_per_day, usd_per_month, tokens_per_day, tokens_per_month, rate_class } = limits;
        Self { models, usd_per_day, usd_per_month, tokens_per_day, tokens_per_month, rate_class }
    }
}

impl KeyView {
    pub(super) fn of(Known { key, last_used_at }: Known) -> Self {
        Self {
            id: key.id,
            name: key.name,
            user_id: key.user,
            key_prefix: key.prefix,
            scopes: key.scopes.into_iter().map(Scope::as_str).collect(),
            created_at: clock::written(key.created_at),
            expires_at: key.expires_at.map(clock::written),
            last_used_at: last_used_at.map(clock::written),
            limits: LimitsView::of(key.limits),
        }
    }
}
