//! What is sent to `/api/v1/admin`.

use schemars::JsonSchema;

use crate::api::{NAME, USERNAME};
use crate::http::Fields;
use crate::model::Result;
use crate::model::account::{Limits, Role, Scope};
use crate::service::access::{NewUser, UserChange};

/// The same as it is wanted.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there for its schema")]
pub(super) struct LimitsRequest {
    /// Models that may be asked: `provider/model` or a route's name; a `*` at the end stands for any rest.
    #[schemars(length(max = 1000), inner(length(min = 1, max = 256)))]
    models: Option<Vec<String>>,
    /// US dollars a day, from midnight to midnight UTC.
    #[schemars(range(min = 0.0, max = 1e9))]
    usd_per_day: Option<f64>,
    /// US dollars a calendar month.
    #[schemars(range(min = 0.0, max = 1e9))]
    usd_per_month: Option<f64>,
    /// Tokens of prompts and answers together, a day.
    tokens_per_day: Option<u64>,
    /// The same a calendar month.
    tokens_per_month: Option<u64>,
    /// One of `server.rate_limit.classes`.
    rate_class: Option<String>,
}

/// What a role is called.
#[derive(JsonSchema)]
#[schemars(rename = "Role", rename_all = "lowercase")]
#[expect(dead_code, reason = "it is there for its schema")]
pub(super) enum RoleName {
    Admin,
    User,
    Viewer,
}

/// What a scope is called.
#[derive(JsonSchema)]
#[schemars(rename = "KeyScope", rename_all = "lowercase")]
#[expect(dead_code, reason = "it is there for its schema")]
pub(super) enum ScopeName {
    Read,
    Write,
    Account,
    Admin,
}

/// A user who is to be.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there for its schema")]
pub(super) struct UserRequest {
    /// Their address.
    #[schemars(extend("format" = "email"))]
    email: String,
    /// Their other name; the part before the `@` where left out.
    #[schemars(length(max = 128), regex(pattern = USERNAME))]
    username: Option<String>,
    /// Eight characters at least.
    #[schemars(length(min = 8, max = 1024))]
    password: String,
    /// What people call them.
    #[schemars(length(max = 128), regex(pattern = NAME))]
    full_name: Option<String>,
    /// What they may do; `user` where left out.
    role: Option<RoleName>,
}

/// What is to be different with a user.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there for its schema")]
pub(super) struct UserPatch {
    /// What they may do.
    role: Option<RoleName>,
    /// Whether they may do it.
    is_active: Option<bool>,
    /// What people call them.
    #[schemars(length(max = 128), regex(pattern = NAME))]
    full_name: Option<String>,
    /// What bounds them, all of it.
    limits: Option<LimitsRequest>,
}

/// A password that is to be.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there for its schema")]
pub(super) struct ResetRequest {
    /// Eight characters at least; one is made where it is left out.
    #[schemars(length(min = 8, max = 1024))]
    new_password: Option<String>,
}

/// A key that is wanted.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there for its schema")]
pub(super) struct KeyRequest {
    /// What it is called.
    #[schemars(length(max = 128), regex(pattern = NAME))]
    name: String,
    /// Whom it stands for: an id, address or name; itself where left out.
    user: Option<String>,
    /// What it may do; `read` and `write` where left out.
    scopes: Option<Vec<ScopeName>>,
    /// From when on it is none; never where left out.
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
    /// What bounds it.
    limits: Option<LimitsRequest>,
}

/// What is to be different with a key.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is there for its schema")]
pub(super) struct KeyPatch {
    /// What bounds it, all of it.
    limits: LimitsRequest,
}

// === reading ===

/// Who is to be made, with which role.
pub(super) fn read_user(mut body: Fields) -> Result<(NewUser, Role)> {
    let wanted = NewUser {
        email: body.require("email")?,
        username: body.take("username")?,
        password: body.require("password")?,
        full_name: body.take("full_name")?,
    };
    let role = body.take("role")?.unwrap_or(Role::User);
    body.finish(&["email", "username", "password", "full_name", "role"])?;
    Ok((wanted, role))
}

pub(super) fn read_change(mut body: Fields) -> Result<UserChange> {
    let change = UserChange {
        role: body.take("role")?,
        is_active: body.take("is_active")?,
        full_name: body.take("full_name")?,
        limits: read_limits(&mut body)?,
        password: None,
    };
    body.finish(&["role", "is_active", "full_name", "limits"])?;
    Ok(change)
}

/// Takes `limits`, if they are there.
pub(super) fn read_limits(body: &mut Fields) -> Result<Option<Limits>> {
    let Some(mut body) = body.take_object("limits")? else { return Ok(None) };
    let limits = Limits {
        models: body.take("models")?.unwrap_or_default(),
        usd_per_day: body.take("usd_per_day")?,
        usd_per_month: body.take("usd_per_month")?,
        tokens_per_day: body.take_integer("tokens_per_day")?,
        tokens_per_month: body.take_integer("tokens_per_month")?,
        rate_class: body.take("rate_class")?,
    };
    body.finish(&["models", "usd_per_day", "usd_per_month", "tokens_per_day", "tokens_per_month", "rate_class"])?;
    Ok(Some(limits))
}

/// A key's name, whose it is, its scopes, its end and its limits.
pub(super) type WantedKey = (String, Option<String>, Vec<Scope>, Option<jiff::Timestamp>, Limits);

pub(super) fn read_key(mut body: Fields) -> Result<WantedKey> {
    let (name, user) = (body.require("name")?, body.take("user")?);
    let scopes = body.take("scopes")?.unwrap_or_default();
    let (expires_at, limits) = (body.take("expires_at")?, read_limits(&mut body)?.unwrap_or_default());
    body.finish(&["name", "user", "scopes", "expires_at", "limits"])?;
    Ok((name, user, scopes, expires_at, limits))
}
