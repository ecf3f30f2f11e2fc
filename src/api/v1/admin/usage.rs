//! What users and keys used.

use super::wire::{UsageOf, UsageView};
use super::{MOST_DAYS, number};
use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::Result;
use crate::service::budget::{Spent, dollars};

pub(super) async fn of_user(request: Request<State>) -> Result<Reply> {
    let user = request.state.accounts.user(request.parameter("user_id")).await?;
    of(&request, &format!("user:{}", user.id)).await
}

pub(super) async fn of_key(request: Request<State>) -> Result<Reply> {
    let key = request.state.accounts.key(request.parameter("key_id")).await?;
    of(&request, &format!("key:{}", key.key.id)).await
}

async fn of(request: &Request<State>, subject: &str) -> Result<Reply> {
    let days = number(request, "days", 1..=MOST_DAYS, 30)?;
    let budgets = &request.state.budgets;
    let (_, month) = budgets.today();
    let periods: Vec<String> = std::iter::once(month).chain(budgets.days(days)).collect();
    let spent = budgets.spent(subject, &periods).await?;
    let view = |(period, spent): (String, Spent)| UsageOf {
        period,
        calls: spent.calls,
        tokens: spent.amount.tokens,
        cost_usd: dollars(spent.amount.nanos),
    };
    let mut views = periods.into_iter().zip(spent).map(view);
    let zero = || UsageOf { period: String::new(), calls: 0, tokens: 0, cost_usd: 0.0 };
    let month = views.next().unwrap_or_else(zero);
    Reply::json(&UsageView { month, days: views.collect() })
}
