//! `/api/v1/admin`: what administrators see and change.

mod audit;

use super::PLATFORM;
use crate::api::State;
use crate::http::endpoint::answer;
use crate::http::{Access, Endpoint};

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    vec![audit::documented(Endpoint::get(&PLATFORM, "/api/v1/admin/audit", |request| answer(audit::audit(request))))]
        .into_iter()
        .map(|endpoint| endpoint.only(Access::Admin))
        .collect()
}
