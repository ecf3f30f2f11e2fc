//! `GET /api/v1/admin/stats`.

use super::wire::Stats;
use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::Result;
use crate::model::session::Status;
use crate::service::budget::{ALL, dollars};

pub(super) async fn stats(request: Request<State>) -> Result<Reply> {
    let state = &request.state;
    let (today, _) = state.budgets.today();
    let spent = state.budgets.spent(ALL, &[today]).await?.into_iter().next().unwrap_or_default();
    let sessions = state.sessions.totals().await?;
    let active = [Status::Connecting, Status::Active, Status::Waiting, Status::Processing];
    let count = |wanted: &dyn Fn(&Status) -> bool| {
        sessions.iter().filter(|(status, _)| wanted(status)).map(|(_, count)| *count).sum()
    };
    Reply::json(&Stats {
        total_users: state.accounts.count_users(None, None).await?,
        total_sessions: count(&|_| true),
        active_sessions: count(&|status| active.contains(status)),
        total_api_calls_today: spent.calls,
        total_cost_today_usd: dollars(spent.amount.nanos),
    })
}
