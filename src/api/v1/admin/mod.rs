//! `/api/v1/admin`: what administrators see and change.

mod asked;
mod audit;
mod examples;
mod keys;
mod stats;
mod usage;
mod users;
mod wire;

use http::Method;
use serde_json::{Value, json};

use super::PLATFORM;
use crate::api::State;
use crate::http::endpoint::answer;
use crate::http::{Access, Endpoint, Request};
use crate::model::{Error, Result};

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &PLATFORM;
    let user = |endpoint: Endpoint<State>| endpoint.parameter("user_id", "Names the user.", examples::ID);
    let key = |endpoint: Endpoint<State>| endpoint.parameter("key_id", "Names the key.", examples::ID);
    let page = |endpoint: Endpoint<State>| {
        endpoint.query("skip", "How many come before the first one.", skip_schema).query(
            "limit",
            "How many at most.",
            limit_schema,
        )
    };
    let all = vec![
        Endpoint::get(surface, "/api/v1/admin/stats", |request| answer(stats::stats(request)))
            .named("getAdminStats", "How many there are, and what was used today.")
            .gives::<wire::Stats>("The figures.", examples::stats),
        page(Endpoint::get(surface, "/api/v1/admin/users", |request| answer(users::list(request))))
            .named("listUsers", "Users, in the order in which their accounts were made.")
            .query("role", "Only those who have it.", || json!({"enum": ["admin", "user", "viewer"]}))
            .query("is_active", "Only those who are, or aren't.", || json!({"type": "boolean"}))
            .gives::<wire::UserList>("A page of them.", examples::users)
            .fails(&[422]),
        Endpoint::post(surface, "/api/v1/admin/users", |request| answer(users::create(request)))
            .named("createUser", "Makes an account, whether registration is open or not.")
            .takes::<asked::UserRequest>("Who gets it.", examples::user_request)
            .creates::<wire::UserView>("The account.", examples::user)
            .fails(&[409]),
        user(Endpoint::get(surface, "/api/v1/admin/users/{user_id}", |request| answer(users::show(request))))
            .named("getUser", "One user.")
            .gives::<wire::UserView>("The account.", examples::user)
            .fails(&[404]),
        user(Endpoint::new(Method::PATCH, surface, "/api/v1/admin/users/{user_id}", |request| {
            answer(users::change(request))
        }))
        .named("changeUser", "Changes what a user may do, and how much; what is left out stays.")
        .described("A disabled account's logins end, and its keys are none as long as it is disabled.")
        .takes::<asked::UserPatch>("What is to be different.", examples::user_patch)
        .gives::<wire::UserView>("The account.", examples::user)
        .fails(&[404, 409]),
        user(Endpoint::new(Method::DELETE, surface, "/api/v1/admin/users/{user_id}", |request| {
            answer(users::erase(request))
        }))
        .named("deleteUser", "Deletes a user, and all that belongs to them.")
        .gives_nothing()
        .fails(&[404, 409]),
        user(Endpoint::post(surface, "/api/v1/admin/users/{user_id}/reset-password", |request| {
            answer(users::reset_password(request))
        }))
        .named("resetPassword", "Gives a user another password, and ends their logins.")
        .takes::<asked::ResetRequest>("The password; one is made where none is given.", || json!({}))
        .gives::<wire::ResetView>("The password where one was made; it is told only here.", examples::reset)
        .fails(&[404]),
        user(Endpoint::get(surface, "/api/v1/admin/users/{user_id}/usage", |request| answer(usage::of_user(request))))
            .named("getUserUsage", "What a user used, this month and day by day.")
            .query("days", "How many days, today among them.", days_schema)
            .gives::<wire::UsageView>("Calls, tokens and US dollars.", examples::usage)
            .fails(&[404, 422]),
        user(Endpoint::get(surface, "/api/v1/admin/users/{user_id}/export", |request| answer(users::export(request))))
            .named("exportUser", "All that is kept of a user, as JSON lines.")
            .gives_text("application/x-ndjson", "One object a line: `kind`, and what is kept.")
            .fails(&[404]),
        page(Endpoint::get(surface, "/api/v1/admin/keys", |request| answer(keys::list(request))))
            .named("listKeys", "Keys of everybody, the newest first.")
            .gives::<wire::KeyList>("A page of them, without what they are.", examples::keys)
            .fails(&[422]),
        Endpoint::post(surface, "/api/v1/admin/keys", |request| answer(keys::create(request)))
            .named("createKey", "Makes a key that stands for a user, or for itself.")
            .takes::<asked::KeyRequest>("What it is for.", examples::key_request)
            .creates::<wire::NewKeyView>("The key; what it is, is told only here.", examples::new_key)
            .fails(&[404, 409]),
        key(Endpoint::new(Method::PATCH, surface, "/api/v1/admin/keys/{key_id}", |request| {
            answer(keys::change(request))
        }))
        .named("changeKey", "Gives a key other limits.")
        .takes::<asked::KeyPatch>("All its limits.", examples::key_patch)
        .gives::<wire::KeyView>("The key.", examples::key)
        .fails(&[404, 409]),
        key(Endpoint::new(Method::DELETE, surface, "/api/v1/admin/keys/{key_id}", |request| {
            answer(keys::delete(request))
        }))
        .named("deleteKey", "Takes a key away; it is none from now on.")
        .gives_nothing()
        .fails(&[404]),
        key(Endpoint::get(surface, "/api/v1/admin/keys/{key_id}/usage", |request| answer(usage::of_key(request))))
            .named("getKeyUsage", "What a key used, this month and day by day.")
            .query("days", "How many days, today among them.", days_schema)
            .gives::<wire::UsageView>("Calls, tokens and US dollars.", examples::usage)
            .fails(&[404, 422]),
        Endpoint::new(Method::POST, surface, "/api/v1/admin/signing-keys", |request| answer(keys::rotate(request)))
            .named("rotateSigningKey", "Makes a new key that signs tokens; those that older ones signed stay good.")
            .creates::<wire::Rotated>("Which key it is.", || json!({"kid": examples::ID})),
        audit::documented(Endpoint::get(surface, "/api/v1/admin/audit", |request| answer(audit::audit(request)))),
    ];
    all.into_iter().map(|endpoint| endpoint.only(Access::Admin)).collect()
}

/// The longest page.
const MOST: usize = 100;
/// The most days of usage at once.
const MOST_DAYS: usize = 366;

fn skip_schema() -> Value {
    json!({"type": "integer", "minimum": 0, "default": 0})
}

fn limit_schema() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": MOST, "default": MOST})
}

fn days_schema() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": 30})
}

/// `skip` and `limit` of the query.
fn page(request: &Request<State>) -> Result<(usize, usize)> {
    Ok((number(request, "skip", 0..=usize::MAX, 0)?, number(request, "limit", 1..=MOST, MOST)?))
}

/// The number `name` of the query.
fn number(
    request: &Request<State>,
    name: &str,
    range: std::ops::RangeInclusive<usize>,
    default: usize,
) -> Result<usize> {
    let Some(text) = request.query(name) else { return Ok(default) };
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let what = match (range.start(), range.end()) {
            (least, &usize::MAX) => format!("write a number, {least} or more"),
            (least, most) => format!("write a number, {least} to {most}"),
        };
        wrong(name, &what)
    })
}

fn wrong(name: &str, what: &str) -> Error {
    Error::invalid(name, format!("Invalid value for {name}: {what}")).with_details(json!({"field": name}))
}
