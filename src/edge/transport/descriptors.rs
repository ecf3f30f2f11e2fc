//! File descriptors: each connection has one, and so has its vendor's.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Server;

/// What the server needs beside connections: listeners, plugins, the log, the runtimes' own.
const OTHERS: u64 = 100;

/// Raises the limit as far as this process may, and says if it isn't far enough.
pub(super) fn raise(server: &Server) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = current == maximum || setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    let allowed = if raised { maximum } else { current };
    let wanted = needed(server);
    if let Some(allowed) = allowed.filter(|allowed| *allowed < wanted) {
        tracing::warn!(
            "the system allows {allowed} open files, and server.max_connections and max_concurrent_requests together need \
             {wanted}; raise the limit (ulimit -n, LimitNOFILE) or lower them"
        );
    }
}

/// A connection of each caller, and one to a vendor for each request.
fn needed(server: &Server) -> u64 {
    (server.max_connections as u64).saturating_add(server.max_concurrent_requests as u64).saturating_add(OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_and_vendors_are_counted() {
        let server = Server { max_connections: 10, max_concurrent_requests: 5, ..Server::default() };
        assert_eq!(needed(&server), 115);
        let endless = Server { max_connections: usize::MAX, ..Server::default() };
        assert_eq!(needed(&endless), u64::MAX);
    }

    #[test]
    fn the_limit_is_as_high_as_it_may_be() {
        raise(&Server::default());
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
