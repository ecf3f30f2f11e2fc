//! All vendors at once: `tests/vendors`, which knows nothing of the host and believes nothing that it sends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::harness::Server;
use crate::sdk_python::{python, root};

pub struct Simulator {
    child: Child,
    port: u16,
}

impl Simulator {
    pub fn start() -> Simulator {
        let mut child = python().arg(root().join("tests/vendors")).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("listening on ").and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the simulated vendors don't start: {line}"));
        Simulator { child, port }
    }

    /// A server in front of all of them.
    pub async fn server(&self) -> Server {
        Server::configured(|home| {
            let keys = home.join("keys");
            std::fs::create_dir(&keys).unwrap();
            std::fs::write(keys.join("key"), "sim-key").unwrap();
            std::fs::write(keys.join("pair"), "SIMAKID:sim-secret/with+signs").unwrap();
            let yaml = std::fs::read_to_string(root().join("tests/vendors/providers.yaml")).unwrap();
            let url = format!("http://127.0.0.1:{}", self.port);
            yaml.replace("URL", &url).replace("KEYS", &keys.display().to_string())
        })
        .await
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
