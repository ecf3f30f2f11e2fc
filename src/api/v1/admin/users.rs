//! What stands under `/api/v1/admin/users`.

use http::StatusCode;

use super::wire::{Links, ResetView, UserList, UserView};
use super::{asked, page, wrong};
use crate::api::State;
use crate::api::v1::lines::lines;
use crate::http::{Reply, Request};
use crate::model::Result;
use crate::model::account::{Role, User};
use crate::service::access::{Accounts, Origin, UserChange};

pub(super) async fn list(request: Request<State>) -> Result<Reply> {
    let (skip, limit) = page(&request)?;
    let role = match request.query("role").as_deref() {
        None => None,
        Some(name) => Some(Role::parse(name).ok_or_else(|| wrong("role", "write admin, user or viewer"))?),
    };
    let is_active = match request.query("is_active").as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(wrong("is_active", "write true or false")),
    };
    let accounts = &request.state.accounts;
    let (users, total) = accounts.list_users(role, is_active, skip, limit).await?;
    let mut items = Vec::with_capacity(users.len());
    for user in users {
        items.push(view(accounts, user).await?);
    }
    let mut rest = String::new();
    if let Some(role) = role {
        rest.push_str(&format!("&role={}", role.as_str()));
    }
    if let Some(is_active) = is_active {
        rest.push_str(&format!("&is_active={is_active}"));
    }
    let links = Links::of("/api/v1/admin/users", &rest, skip, limit, total);
    Reply::json(&UserList { items, total, skip, limit, links })
}

pub(super) async fn create(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let (state, body) = request.fields()?;
    let (wanted, role) = asked::read_user(body)?;
    let user = state.accounts.create_user(wanted, role, &origin).await?;
    Ok(Reply::json(&UserView::of(user, None))?.with_status(StatusCode::CREATED))
}

pub(super) async fn show(request: Request<State>) -> Result<Reply> {
    let accounts = &request.state.accounts;
    let user = accounts.user(request.parameter("user_id")).await?;
    Reply::json(&view(accounts, user).await?)
}

pub(super) async fn change(request: Request<State>) -> Result<Reply> {
    let (id, origin) = (request.parameter("user_id").to_owned(), Origin::of(&request.caller, &request.id));
    let (state, body) = request.fields()?;
    let wanted = asked::read_change(body)?;
    let user = state.accounts.change_user(&id, wanted, &origin).await?;
    Reply::json(&view(&state.accounts, user).await?)
}

pub(super) async fn erase(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    request.state.accounts.erase(request.parameter("user_id"), &origin).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub(super) async fn reset_password(request: Request<State>) -> Result<Reply> {
    let (id, origin) = (request.parameter("user_id").to_owned(), Origin::of(&request.caller, &request.id));
    let (state, mut body) = request.fields()?;
    let given: Option<String> = body.take("new_password")?;
    body.finish(&["new_password"])?;
    let password = match &given {
        Some(password) => password.clone(),
        None => Accounts::fresh_password()?,
    };
    let wanted = UserChange { password: Some(password.clone()), ..UserChange::default() };
    let user = state.accounts.change_user(&id, wanted, &origin).await?;
    Reply::json(&ResetView { user_id: user.id, password: given.is_none().then_some(password) })
}

pub(super) async fn export(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let pieces = request.state.accounts.export(request.parameter("user_id"), &origin).await?;
    Ok(Reply::lines(lines(pieces)))
}

async fn view(accounts: &Accounts, user: User) -> Result<UserView> {
    let last_login = accounts.last_login(&user.id).await?;
    Ok(UserView::of(user, last_login))
}
