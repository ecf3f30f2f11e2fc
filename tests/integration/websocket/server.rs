//! The edge of the product with endpoints of the tests' own: one repeats what it hears on its socket.

use std::net::SocketAddr;
use std::sync::Arc;

use mortise::api::v1::SURFACE;
use mortise::config::Config;
use mortise::edge::{Listeners, Pipeline};
use mortise::http::endpoint::answer;
use mortise::http::websocket::{Code, Message, Socket};
use mortise::http::{Endpoint, Reply, Request, Router};
use mortise::model::Result;
use mortise::service::access::Accounts;
use mortise::service::limit::Limiter;
use mortise::service::{Clock, Readiness};
use mortise::store::Store;
use mortise::telemetry::Telemetry;
use mortise::telemetry::metrics::{Format, Metrics};
use mortise::telemetry::stats::Stats;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub struct Repeater {
    pub address: SocketAddr,
    metrics: Arc<Metrics>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    _home: TempDir,
}

fn endpoints() -> Vec<Endpoint<()>> {
    vec![
        Endpoint::get(&SURFACE, "/ws/{name}", |request| answer(repeat(request))).socket().token_in_query(),
        Endpoint::get(&SURFACE, "/deaf", |request| answer(repeat(request))).socket(),
        Endpoint::get(&SURFACE, "/plain", |_| answer(async { Reply::json(&json!({"plain": true})) })),
    ]
}

async fn repeat(mut request: Request<()>) -> Result<Reply> {
    let caller = request.caller.principal.to_string();
    let hello = json!({"caller": caller, "name": request.parameter("name"), "query": request.query});
    request.upgrade()?.accept(move |mut socket: Socket| async move {
        if socket.send(Message::Text(hello.to_string())).await.is_err() {
            return;
        }
        while let Some(message) = socket.next().await {
            match &message {
                Message::Text(text) if text == "close" => return socket.close(Code(4001), "as you like"),
                Message::Text(text) if text == "panic" => panic!("as asked"),
                _ => {}
            }
            if socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

impl Repeater {
    /// `more`: of `server`.
    pub async fn start(more: &str) -> Repeater {
        Repeater::configured(TempDir::new().unwrap(), more).await
    }

    pub async fn keyed(key: &str) -> Repeater {
        let home = TempDir::new().unwrap();
        let file = home.path().join("key");
        std::fs::write(&file, key).unwrap();
        let more = format!("auth: {{enabled: true, api_key: 'file:{}'}}", file.display());
        Repeater::configured(home, &more).await
    }

    async fn configured(home: TempDir, more: &str) -> Repeater {
        crate::harness::logged();
        let yaml = format!("server: {{port: 0, rate_limit: {{enabled: false}}, {more}}}");
        let config = Config::from_yaml(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        let listeners = Listeners::bind(&config.server).unwrap();
        let metrics = Arc::new(Metrics::new(endpoints().iter().map(|endpoint| endpoint.path)));
        let telemetry = Arc::new(Telemetry { metrics: metrics.clone(), stats: Stats::default(), otel: None });
        let limiter = Arc::new(Limiter::new(&config.server.rate_limit, Clock::system()));
        let router = Router::new(endpoints(), &SURFACE).unwrap();
        let clock = Clock::system();
        let accounts = Arc::new(Accounts::new(Store::in_memory(), &config.server, clock.clone()));
        let pipeline = Pipeline::new(Arc::new(()), router, &config.server, limiter, accounts, telemetry, clock);
        let pipeline = Arc::new(pipeline.unwrap());
        let doors = listeners.open().unwrap();
        let address = doors.addresses()[0].socket;
        let readiness = Arc::new(Readiness::default());
        readiness.ready();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            doors.serve(pipeline, readiness, async move { drop(stopped.await) }).await.expect("workers");
        });
        Repeater { address, metrics, stop: Some(stop), task, _home: home }
    }

    pub fn metrics(&self) -> String {
        self.metrics.render(Format::Prometheus)
    }

    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics().lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    pub fn signal(&mut self) {
        drop(self.stop.take());
    }

    pub async fn ended(mut self) {
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Repeater {
    fn drop(&mut self) {
        self.task.abort();
    }
}
