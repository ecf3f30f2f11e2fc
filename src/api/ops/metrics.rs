//! What the server counts, for whoever scrapes it.

use bytes::Bytes;
use http::StatusCode;
use http::header::ACCEPT;

use crate::api::State;
use crate::http::{Reply, Request};
use crate::model::{Error, Kind, Result};
use crate::telemetry::metrics::Format;

pub(super) async fn metrics(request: Request<State>) -> Result<Reply> {
    if !request.state.metrics {
        let cure = "metrics are switched off; set telemetry.metrics to true";
        return Err(Error::caller(Kind::NotFound, format!("Not found: {cure}")));
    }
    let format = Format::of(request.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default());
    let metrics = request.state.telemetry.metrics.clone();
    // It reads what the system tells of each open connection: one at a time, however many ask.
    let _turn = request.state.rendering.lock().await;
    // What the store can't tell now stays as it was told last.
    if let Ok(totals) = request.state.sessions.totals().await {
        metrics.sessions(totals.into_iter().map(|(status, count)| (status.as_str(), count)).collect());
    }
    let text = tokio::task::spawn_blocking(move || metrics.render(format)).await.map_err(Error::internal)?;
    Ok(Reply::whole(StatusCode::OK, format.content_type(), Bytes::from(text)))
}
