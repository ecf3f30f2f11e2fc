//! `/api/auth`: accounts and keys, as the agent API speaks of them.

use http::{Method, StatusCode};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::SURFACE;
use crate::api::{NAME, State};
use crate::http::endpoint::answer;
use crate::http::{Access, Endpoint, Fields, Reply, Request};
use crate::model::account::{Limits, Scope, User};
use crate::model::{Error, Result};
use crate::service::access::{KeyKind, KeyView, NewKey, NewUser, Origin};
use crate::service::clock;

/// Who wants an account.
#[derive(JsonSchema)]
#[schemars(rename = "AgentRegisterRequest", deny_unknown_fields)]
struct RegisterRequest {
    /// Names the account; no two have the same.
    #[schemars(extend("format" = "email"))]
    email: String,
    /// Eight characters at least.
    #[schemars(length(min = 8, max = 1024))]
    password: String,
    /// What people call whoever has it.
    #[schemars(length(max = 128), regex(pattern = NAME))]
    name: Option<String>,
}

/// An account, and its password.
#[derive(JsonSchema)]
#[schemars(rename = "AgentLoginRequest", deny_unknown_fields)]
struct LoginRequest {
    /// The account's address, or its username.
    email: String,
    /// Its password.
    password: String,
}

/// The password, and another one.
#[derive(JsonSchema)]
#[schemars(rename = "AgentPasswordRequest", deny_unknown_fields)]
struct PasswordRequest {
    /// The one that is good now.
    current_password: String,
    /// The one that is to be; eight characters at least.
    #[schemars(length(min = 8, max = 1024))]
    new_password: String,
}

/// A key that is wanted.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ApiKeyRequest {
    /// What its owner calls it.
    #[schemars(length(max = 128), regex(pattern = NAME))]
    name: String,
    /// From when on it is none; never where left out.
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
    /// What it may do of what its owner may: `read`, `write`, `account`, `admin`; the first two where left out.
    #[schemars(with = "Option<Vec<ScopeName>>")]
    scopes: Option<Vec<Scope>>,
}

/// A part of what an account may do.
#[derive(JsonSchema)]
#[schemars(rename = "Scope", rename_all = "lowercase")]
#[expect(dead_code, reason = "it is there for its schema")]
enum ScopeName {
    Read,
    Write,
    Account,
    Admin,
}

/// An account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentUser")]
struct UserView {
    /// Names it.
    id: String,
    /// Its address, in small letters.
    email: String,
    /// What people call whoever has it; its username where nobody said.
    name: String,
    /// When it was made.
    created_at: String,
}

/// What a login gives.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentToken")]
struct TokenView {
    /// Shown as `Authorization: Bearer`.
    access_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    /// Seconds for which it is good.
    expires_in: u64,
}

/// A new key. What it is, is told only here.
#[derive(Serialize, JsonSchema)]
struct NewApiKey {
    /// Names it.
    id: String,
    /// What its owner calls it.
    name: String,
    /// Shown as `X-API-Key`.
    key: String,
    /// When it was made.
    created_at: String,
    /// From when on it is none; null is never.
    expires_at: Option<String>,
}

/// A key, without what it is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
struct ApiKeyView {
    /// Names it.
    id: String,
    /// What its owner calls it.
    name: String,
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
}

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &SURFACE;
    vec![
        Endpoint::post(surface, "/api/auth/register", |request| answer(register(request)))
            .open()
            .named("agentRegister", "Makes an account.")
            .takes::<RegisterRequest>(
                "Who wants an account.",
                || json!({"email": "user@example.com", "password": "securepassword", "name": "John Doe"}),
            )
            .creates::<UserView>("The account.", user_example)
            .fails(&[403, 409, 429, 503]),
        Endpoint::post(surface, "/api/auth/login", |request| answer(log_in(request)))
            .open()
            .named("agentLogin", "Gives a token for a password.")
            .takes::<LoginRequest>(
                "The account and its password.",
                || json!({"email": "user@example.com", "password": "securepassword"}),
            )
            .gives::<TokenView>(
                "A token.",
                || json!({"access_token": "eyJ...", "token_type": "bearer", "expires_in": 3600}),
            )
            .fails(&[401, 403, 429, 503]),
        Endpoint::get(surface, "/api/auth/me", |request| answer(me(request)))
            .only(Access::Member)
            .named("agentGetMe", "Who asks.")
            .gives::<UserView>("The account.", user_example)
            .fails(&[404]),
        Endpoint::post(surface, "/api/auth/change-password", |request| answer(change_password(request)))
            .only(Access::Account)
            .named("agentChangePassword", "Changes the password, and ends every login of the account.")
            .takes::<PasswordRequest>(
                "The password, and another one.",
                || json!({"current_password": "securepassword", "new_password": "a longer secret"}),
            )
            .gives_nothing()
            .fails(&[404]),
        Endpoint::post(surface, "/api/auth/api-keys", |request| answer(create_key(request)))
            .only(Access::Account)
            .named("createApiKey", "Makes a key.")
            .takes::<ApiKeyRequest>(
                "What it is for.",
                || json!({"name": "My API Key", "expires_at": "2035-01-01T00:00:00Z"}),
            )
            .creates::<NewApiKey>("The key; it is told only here.", || {
                json!({
                    "id": ID, "name": "My API Key", "key": "md_...",
                    "created_at": "2026-01-01T00:00:00.000Z", "expires_at": "2035-01-01T00:00:00.000Z",
                })
            })
            .fails(&[409]),
        Endpoint::get(surface, "/api/auth/api-keys", |request| answer(list_keys(request)))
            .only(Access::Account)
            .named("listApiKeys", "The keys of the account, the newest first.")
            .gives::<Vec<ApiKeyView>>("The keys, without what they are.", || {
                json!([{
                    "id": ID, "name": "My API Key", "key_prefix": "md_Zq3Bf", "scopes": ["read", "write"],
                    "created_at": "2026-01-01T00:00:00.000Z", "expires_at": null,
                    "last_used_at": "2026-01-02T00:00:00.000Z",
                }])
            }),
        Endpoint::new(Method::DELETE, surface, "/api/auth/api-keys/{key_id}", |request| answer(delete_key(request)))
            .only(Access::Account)
            .named("deleteApiKey", "Takes a key away; it is none from now on.")
            .parameter("key_id", "Names the key.", ID)
            .gives_nothing()
            .fails(&[404]),
    ]
}

const ID: &str = "0198c0a1-b2c3-7d4e-8f90-a1b2c3d4e5f6";

fn user_example() -> Value {
    json!({"id": ID, "email": "user@example.com", "name": "John Doe", "created_at": "2024-01-01T00:00:00.000Z"})
}

async fn register(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let (state, body) = request.fields()?;
    let asked = RegisterRequest::read(body)?;
    let wanted = NewUser { email: asked.email, username: None, password: asked.password, full_name: asked.name };
    let user = state.accounts.register(wanted, &origin).await?;
    Ok(Reply::json(&UserView::of(&user))?.with_status(StatusCode::CREATED))
}

async fn log_in(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let (state, body) = request.fields()?;
    let asked = LoginRequest::read(body)?;
    let tokens = state.accounts.log_in(&asked.email, &asked.password, &origin).await?;
    Reply::json(&TokenView { access_token: tokens.access, token_type: "bearer", expires_in: tokens.expires_in })
}

async fn me(request: Request<State>) -> Result<Reply> {
    Reply::json(&UserView::of(&request.state.accounts.user(&account(&request)?).await?))
}

async fn change_password(request: Request<State>) -> Result<Reply> {
    let (id, origin) = (account(&request)?, Origin::of(&request.caller, &request.id));
    let (state, body) = request.fields()?;
    let asked = PasswordRequest::read(body)?;
    state.accounts.change_password(&id, &asked.current_password, &asked.new_password, &origin).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn create_key(request: Request<State>) -> Result<Reply> {
    let (id, origin) = (account(&request)?, Origin::of(&request.caller, &request.id));
    let (state, body) = request.fields()?;
    let ApiKeyRequest { name, expires_at, scopes } = ApiKeyRequest::read(body)?;
    let expires_at = expires_at.map(|text| time(&text)).transpose()?;
    let wanted = NewKey { name, expires_at, scopes: scopes.unwrap_or_default(), limits: Limits::default() };
    let (text, key) = state.accounts.create_key(KeyKind::User, Some(&id), wanted, &origin).await?;
    let view = NewApiKey {
        id: key.id,
        name: key.name,
        key: text,
        created_at: clock::written(key.created_at),
        expires_at: key.expires_at.map(clock::written),
    };
    Ok(Reply::json(&view)?.with_status(StatusCode::CREATED))
}

async fn list_keys(request: Request<State>) -> Result<Reply> {
    let keys = request.state.accounts.keys_of(&account(&request)?).await?;
    Reply::json(&keys.into_iter().map(ApiKeyView::of).collect::<Vec<_>>())
}

async fn delete_key(request: Request<State>) -> Result<Reply> {
    let (id, origin) = (account(&request)?, Origin::of(&request.caller, &request.id));
    request.state.accounts.delete_key(request.parameter("key_id"), Some(&id), &origin).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The id of the account that asks: the table of endpoints lets nobody else in.
fn account(request: &Request<State>) -> Result<String> {
    let member = request.caller.member().map(|member| member.id.clone());
    member.ok_or_else(|| Error::internal("an endpoint for members was asked by nobody"))
}

fn time(text: &str) -> Result<Timestamp> {
    text.parse().map_err(|_| {
        let what = "Invalid value for expires_at: write a time such as 2035-01-01T00:00:00Z";
        Error::invalid("expires_at", what).with_details(json!({"field": "expires_at"}))
    })
}

// === reading ===

impl RegisterRequest {
    fn read(mut body: Fields) -> Result<Self> {
        let (email, password) = (body.require("email")?, body.require("password")?);
        let request = Self { email, password, name: body.take("name")? };
        body.finish(&["email", "password", "name"])?;
        Ok(request)
    }
}

impl LoginRequest {
    fn read(mut body: Fields) -> Result<Self> {
        let request = Self { email: body.require("email")?, password: body.require("password")? };
        body.finish(&["email", "password"])?;
        Ok(request)
    }
}

impl PasswordRequest {
    fn read(mut body: Fields) -> Result<Self> {
        let current_password = body.require("current_password")?;
        let request = Self { current_password, new_password: body.require("new_password")? };
        body.finish(&["current_password", "new_password"])?;
        Ok(request)
    }
}

impl ApiKeyRequest {
    fn read(mut body: Fields) -> Result<Self> {
        let request =
            Self { name: body.require("name")?, expires_at: body.take("expires_at")?, scopes: body.take("scopes")? };
        body.finish(&["name", "expires_at", "scopes"])?;
        Ok(request)
    }
}

// === writing ===

impl UserView {
    fn of(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            email: user.email.clone(),
            name: user.full_name.clone().unwrap_or_else(|| user.username.clone()),
            created_at: clock::written(user.created_at),
        }
    }
}

impl ApiKeyView {
    fn of(KeyView { key, last_used_at }: KeyView) -> Self {
        Self {
            id: key.id,
            name: key.name,
            key_prefix: key.prefix,
            scopes: key.scopes.into_iter().map(Scope::as_str).collect(),
            created_at: clock::written(key.created_at),
            expires_at: key.expires_at.map(clock::written),
            last_used_at: last_used_at.map(clock::written),
        }
    }
}
