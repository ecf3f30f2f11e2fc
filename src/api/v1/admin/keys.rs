//! What stands under `/api/v1/admin/keys`.

use http::StatusCode;

use super::wire::{KeyList, KeyView, Links, NewKeyView, Rotated};
use super::{asked, page};
use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::Result;
use crate::service::access::{KeyKind, KeyView as Known, NewKey, Origin};

pub(super) async fn list(request: Request<State>) -> Result<Reply> {
    let (skip, limit) = page(&request)?;
    let (keys, total) = request.state.accounts.all_keys(skip, limit).await?;
    let links = Links::of("/api/v1/admin/keys", "", skip, limit, total);
    Reply::json(&KeyList { items: keys.into_iter().map(KeyView::of).collect(), total, skip, limit, links })
}

pub(super) async fn create(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let (state, body) = request.fields()?;
    let (name, user, scopes, expires_at, limits) = asked::read_key(body)?;
    let user = match user {
        Some(user) => Some(state.accounts.find_user(&user).await?.id),
        None => None,
    };
    let wanted = NewKey { name, expires_at, scopes, limits };
    let (text, key) = state.accounts.create_key(KeyKind::Token, user.as_deref(), wanted, &origin).await?;
    let view = KeyView::of(Known { key, last_used_at: None });
    Ok(Reply::json(&NewKeyView { key: text, view })?.with_status(StatusCode::CREATED))
}

pub(super) async fn change(request: Request<State>) -> Result<Reply> {
    let (id, origin) = (request.parameter("key_id").to_owned(), Origin::of(&request.caller, &request.id));
    let (state, mut body) = request.fields()?;
    let limits = asked::read_limits(&mut body)?.ok_or_else(|| body.missing("limits"))?;
    body.finish(&["limits"])?;
    state.accounts.limit_key(&id, limits, &origin).await?;
    Reply::json(&KeyView::of(state.accounts.key(&id).await?))
}

pub(super) async fn delete(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    request.state.accounts.delete_key(request.parameter("key_id"), None, &origin).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

pub(super) async fn rotate(request: Request<State>) -> Result<Reply> {
    let origin = Origin::of(&request.caller, &request.id);
    let kid = request.state.accounts.rotate_signing_key(&origin).await?;
    Ok(Reply::json(&Rotated { kid })?.with_status(StatusCode::CREATED))
}
