//! `/api/v1/auth`: accounts, logins, and what belongs to whoever has logged in.

mod examples;
mod wire;

use http::StatusCode;

use super::PLATFORM;
use super::lines::lines;
use crate::api::State;
use crate::http::endpoint::answer;
use crate::http::{Access, Endpoint, Reply, Request};
use crate::model::account::Member;
use crate::model::{Error, Result};
use crate::service::access::{NewUser, Origin};
use crate::service::clock;

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &PLATFORM;
    vec![
        Endpoint::post(surface, "/api/v1/auth/register", |request| answer(register(request)))
            .open()
            .named("register", "Makes an account.")
            .described("Where the server does that for whoever asks: see `server.auth.registration`.")
            .takes::<wire::RegisterRequest>("Who wants an account.", examples::register_request)
            .creates::<wire::Registered>("The account.", examples::registered)
            .fails(&[403, 409, 429, 503]),
        Endpoint::post(surface, "/api/v1/auth/login", |request| answer(log_in(request)))
            .open()
            .named("login", "Gives tokens for a password.")
            .described("After too many wrong passwords, of one account or from one address, it is 429 for a while.")
            .takes::<wire::LoginRequest>("The account and its password.", examples::login_request)
            .gives::<wire::TokenView>("Tokens.", examples::tokens)
            .fails(&[401, 403, 429, 503]),
        Endpoint::post(surface, "/api/v1/auth/refresh", |request| answer(refresh(request)))
            .open()
            .named("refreshToken", "Gives another access token for a refresh token.")
            .takes::<wire::RefreshRequest>("What a login gave.", examples::refresh_request)
            .gives::<wire::TokenView>("A token.", examples::refreshed)
            .fails(&[401, 403, 429, 503]),
        Endpoint::get(surface, "/api/v1/auth/me", |request| answer(me(request)))
            .only(Access::Member)
            .named("getMe", "Who asks.")
            .gives::<wire::Me>("The account.", examples::me)
            .fails(&[404]),
        Endpoint::new(http::Method::DELETE, surface, "/api/v1/auth/me", |request| answer(erase(request)))
            .only(Access::Account)
            .named("deleteMe", "Deletes the account that asks, and all that belongs to it.")
            .gives_nothing()
            .fails(&[404, 409]),
        Endpoint::get(surface, "/api/v1/auth/me/export", |request| answer(export(request)))
            .only(Access::Account)
            .named("exportMe", "All that is kept of the account that asks, as JSON lines.")
            .gives_text("application/x-ndjson", "One object a line: `kind`, and what is kept.")
            .fails(&[404]),
        Endpoint::post(surface, "/api/v1/auth/logout", |request| answer(log_out(request)))
            .only(Access::Account)
            .named("logout", "Ends the login that the token belongs to.")
            .gives::<wire::LoggedOut>("What ended.", examples::logged_out),
        Endpoint::post(surface, "/api/v1/auth/logout-all", |request| answer(log_out_everywhere(request)))
            .only(Access::Account)
            .named("logoutAll", "Ends every login of the account.")
            .gives::<wire::LoggedOut>("What ended.", examples::logged_out),
        Endpoint::post(surface, "/api/v1/auth/change-password", |request| answer(change_password(request)))
            .only(Access::Account)
            .named("changePassword", "Changes the password, and ends every login of the account.")
            .takes::<wire::PasswordRequest>("The password, and another one.", examples::password_request)
            .gives_nothing()
            .fails(&[404]),
    ]
}

async fn register(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let (state, body) = request.fields()?;
    let wire::RegisterRequest { email, username, password, full_name } = wire::RegisterRequest::read(body)?;
    let wanted = NewUser { email, username: Some(username), password, full_name };
    let user = state.accounts.register(wanted, &origin).await?;
    Ok(Reply::json(&wire::Registered::of(&user))?.with_status(StatusCode::CREATED))
}

async fn log_in(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let (state, body) = request.fields()?;
    let asked = wire::LoginRequest::read(body)?;
    Reply::json(&wire::TokenView::of(state.accounts.log_in(&asked.email, &asked.password, &origin).await?))
}

async fn refresh(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let (state, body) = request.fields()?;
    let asked = wire::RefreshRequest::read(body)?;
    Reply::json(&wire::TokenView::of(state.accounts.refresh(&asked.refresh_token, &origin).await?))
}

async fn me(request: Request<State>) -> Result<Reply> {
    let member = member(&request)?;
    let accounts = &request.state.accounts;
    let user = accounts.user(&member.id).await?;
    let last_login = accounts.last_login(&user.id).await?;
    Reply::json(&wire::Me::of(&user, last_login.map(clock::written)))
}

async fn erase(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    request.state.accounts.erase(&member(&request)?.id, &origin).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn export(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let pieces = request.state.accounts.export(&member(&request)?.id, &origin).await?;
    Ok(Reply::lines(lines(pieces)))
}

async fn log_out(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let member = member(&request)?;
    let ended = match member.login() {
        Some(login) => request.state.accounts.log_out(&member.id, login, &origin).await?,
        None => 0,
    };
    Reply::json(&wire::LoggedOut::of(&member.id, ended))
}

async fn log_out_everywhere(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let member = member(&request)?;
    let ended = request.state.accounts.log_out_everywhere(&member.id, &origin).await?;
    Reply::json(&wire::LoggedOut::of(&member.id, ended))
}

async fn change_password(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let id = member(&request)?.id.clone();
    let (state, body) = request.fields()?;
    let asked = wire::PasswordRequest::read(body)?;
    state.accounts.change_password(&id, &asked.current_password, &asked.new_password, &origin).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The account that asks: the table of endpoints lets nobody else in.
fn member(request: &Request<State>) -> Result<&Member> {
    request.caller.member().ok_or_else(|| Error::internal("an endpoint for members was asked by nobody"))
}
