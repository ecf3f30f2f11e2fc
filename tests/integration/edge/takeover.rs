//! A second process takes the port over from the first, and nobody notices: two of the built programs under a steady load.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::client::{Client, Request};
use crate::patience::{soon, until};

struct Process {
    child: Child,
    address: SocketAddr,
    /// Ends with the process.
    log: UnboundedReceiver<String>,
}

impl Process {
    async fn start(home: &Path, port: u16) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mortise"))
            .args(["serve", "--config"])
            .arg(home.join("config.yaml"))
            .args(["--port", &port.to_string()])
            .env("HOME", home)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, mut log) = unbounded_channel();
        // A process whose log nobody reads would wait for somebody who does.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let address = loop {
            let line = soon("the server to listen", log.recv()).await.expect("a server that starts");
            if let Some((_, address)) = line.split_once("listening on http://") {
                break address.split_whitespace().next().unwrap().parse().unwrap();
            }
        };
        Process { child, address, log }
    }

    /// Lets it end as it wants to.
    async fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        while soon("the process to end", self.log.recv()).await.is_some() {}
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_when_another_process_takes_over() {
    let home = tempfile::tempdir().unwrap();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache");
    let plugins = format!("plugins: {{directory: {}, cache: {}}}", home.path().display(), cache.display());
    let config =
        format!("providers: {{echo: {{}}}}\nserver: {{reuse_port: true}}\nlogging: {{level: info}}\n{plugins}\n");
    std::fs::write(home.path().join("config.yaml"), config).unwrap();
    let mut serving = Process::start(home.path(), 0).await;
    let client = Client::new(serving.address);
    let (asked, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut callers = JoinSet::new();
    for number in 0..6 {
        let (asked, over) = (asked.clone(), over.clone());
        callers.spawn(async move {
            let request = Request::new("GET", "/health/live");
            while !over.load(Ordering::Relaxed) {
                // Some come for one request, others stay until they are told to go.
                let mut connection = client.connect().await;
                loop {
                    let reply = connection.exchange(&request).await;
                    assert_eq!(reply.status(), 200);
                    asked.fetch_add(1, Ordering::Relaxed);
                    let told = reply.head.header("connection") == Some("close");
                    if number % 2 == 0 || told || over.load(Ordering::Relaxed) {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    for _ in 0..2 {
        let enough = asked.load(Ordering::Relaxed) + 100;
        until("a steady load", async || (asked.load(Ordering::Relaxed) >= enough).then_some(())).await;
        let next = Process::start(home.path(), serving.address.port()).await;
        std::mem::replace(&mut serving, next).end().await;
    }
    let enough = asked.load(Ordering::Relaxed) + 100;
    until("the load to go on", async || (asked.load(Ordering::Relaxed) >= enough).then_some(())).await;
    over.store(true, Ordering::Relaxed);
    while let Some(caller) = soon("the callers", callers.join_next()).await {
        caller.expect("a caller who got all that was asked for");
    }
    serving.end().await;
}
