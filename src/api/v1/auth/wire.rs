//! The JSON of `/api/v1/auth`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{NAME, USERNAME};
use crate::http::Fields;
use crate::model::Result;
use crate::model::account::User;
use crate::service::access::Tokens;
use crate::service::clock;

/// Who wants an account.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct RegisterRequest {
    /// Names the account; no two have the same.
    #[schemars(extend("format" = "email"))]
    pub(super) email: String,
    /// Names it too; no two have the same, whatever the case.
    #[schemars(length(max = 128), regex(pattern = USERNAME))]
    pub(super) username: String,
    /// Eight characters at least.
    #[schemars(length(min = 8, max = 1024))]
    pub(super) password: String,
    /// What people call whoever has it.
    #[schemars(length(max = 128), regex(pattern = NAME))]
    pub(super) full_name: Option<String>,
}

/// An account, and its password.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct LoginRequest {
    /// The account's address, or its username.
    pub(super) email: String,
    /// Its password.
    pub(super) password: String,
}

/// What a login gave.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct RefreshRequest {
    /// The refresh token.
    pub(super) refresh_token: String,
}

/// The password, and another one.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct PasswordRequest {
    /// The one that is good now.
    pub(super) current_password: String,
    /// The one that is to be; eight characters at least.
    #[schemars(length(min = 8, max = 1024))]
    pub(super) new_password: String,
}

/// A new account.
#[derive(Serialize, JsonSchema)]
pub(super) struct Registered {
    /// Names it.
    id: String,
    /// Its address, in small letters.
    email: String,
    /// Its other name.
    username: String,
    /// What it may do: `admin`, `user` or `viewer`.
    role: &'static str,
    /// When it was made.
    created_at: String,
}

/// What a login gives.
#[derive(Serialize, JsonSchema)]
pub(super) struct TokenView {
    /// Shown as `Authorization: Bearer`.
    access_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    /// Seconds for which it is good.
    expires_in: u64,
    /// Gives another access token at `/api/v1/auth/refresh`, where it was not one that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// The account that asks.
#[derive(Serialize, JsonSchema)]
pub(super) struct Me {
    /// Names it.
    id: String,
    /// Its address.
    email: String,
    /// Its other name.
    username: String,
    /// What people call whoever has it.
    full_name: Option<String>,
    /// What it may do: `admin`, `user` or `viewer`.
    role: &'static str,
    /// Whether it may do anything.
    is_active: bool,
    /// When it was made.
    created_at: String,
    /// When it last logged in; null if never.
    last_login_at: Option<String>,
}

/// What a logout ended.
#[derive(Serialize, JsonSchema)]
pub(super) struct LoggedOut {
    /// For people.
    message: &'static str,
    /// Logins that ended; their tokens are none any more.
    tokens_revoked: u64,
    /// Whose they were.
    user_id: String,
}

// === reading ===

impl RegisterRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let request = Self {
            email: body.require("email")?,
            username: body.require("username")?,
            password: body.require("password")?,
            full_name: body.take("full_name")?,
        };
        body.finish(&["email", "username", "password", "full_name"])?;
        Ok(request)
    }
}

impl LoginRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let request = Self { email: body.require("email")?, password: body.require("password")? };
        body.finish(&["email", "password"])?;
        Ok(request)
    }
}

impl RefreshRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let request = Self { refresh_token: body.require("refresh_token")? };
        body.finish(&["refresh_token"])?;
        Ok(request)
    }
}

impl PasswordRequest {
    pub(super) fn read(mut body: Fields) -> Result<Self> {
        let request =
            Self { current_password: body.require("current_password")?, new_password: body.require("new_password")? };
        body.finish(&["current_password", "new_password"])?;
        Ok(request)
    }
}

// === writing ===

impl Registered {
    pub(super) fn of(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            email: user.email.clone(),
            username: user.username.clone(),
            role: user.role.as_str(),
            created_at: clock::written(user.created_at),
        }
    }
}

impl TokenView {
    pub(super) fn of(tokens: Tokens) -> Self {
        let Tokens { access, refresh, expires_in } = tokens;
        Self { access_token: access, token_type: "bearer", expires_in, refresh_token: refresh }
    }
}

impl Me {
    pub(super) fn of(user: &User, last_login_at: Option<String>) -> Self {
        Self {
            id: user.id.clone(),
            email: user.email.clone(),
            username: user.username.clone(),
            full_name: user.full_name.clone(),
            role: user.role.as_str(),
            is_active: user.is_active,
            created_at: clock::written(user.created_at),
            last_login_at,
        }
    }
}

impl LoggedOut {
    pub(super) fn of(user: &str, ended: u64) -> Self {
        Self { message: "Logged out", tokens_revoked: ended, user_id: user.to_owned() }
    }
}
