//! THE list of metrics: each with its name, its unit, its labels and what it means.
//!
//! A counter's name is written with `_total`, as it is exposed. Labels come from bounded sets alone: route templates, statuses
//! that the server knows, names that the operator gave, and models within a hard cap. A family without a sample is not
//! exposed, so one that nothing feeds yet doesn't claim that there was nothing to count.

/// One family of metrics.
pub(super) struct Family {
    /// As it is exposed.
    pub(super) name: &'static str,
    /// The unit that the name ends with, before `_total`.
    pub(super) unit: Option<&'static str>,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
}

/// Makes the list, and a constant for each of its entries.
macro_rules! families {
    ($($id:ident = $name:literal $([$unit:literal])? ($($label:literal),*) $help:literal;)*) => {
        $(pub(super) const $id: Family = Family {
            name: $name,
            unit: families!(@unit $($unit)?),
            labels: &[$($label),*],
            help: $help,
        };)*
        /// All of them, for tests.
        #[cfg(test)]
        pub(super) const ALL: &[&Family] = &[$(&$id),*];
    };
    (@unit) => { None };
    (@unit $unit:literal) => { Some($unit) };
}

families! {
    // Requests.
    REQUESTS = "mortise_requests_total" ("method", "path", "status")
        "Requests whose answer is over, by route template; status 499 is a caller who hung up before there was one";
    REQUEST_DURATION = "mortise_request_duration_seconds" ["seconds"] ("method", "path")
        "From a request's head to the end of its answer, streams included";
    REQUESTS_ACTIVE = "mortise_requests_active" ()
        "Requests in progress, streams included";
    QUEUE_WAIT = "mortise_queue_wait_seconds" ["seconds"] ()
        "How long requests waited for their turn because there were too many at once";
    LIMITED = "mortise_limited_total" ("surface", "limit")
        "Requests that were refused because a limit was hit";
    // As the platform's document names them.
    API_REQUESTS = "api_requests_total" ("method", "path")
        "Requests whose answer is over, by route template";
    SESSIONS = "sessions_total" ("status")
        "Sessions by status";

    // Connections.
    CONNECTIONS = "mortise_connections_total" ()
        "Connections that were accepted";
    CONNECTIONS_REFUSED = "mortise_connections_refused_total" ("reason")
        "Connections that were closed before they were served";
    CONNECTIONS_OPEN = "mortise_connections_open" ()
        "Connections now";
    WEBSOCKETS_OPEN = "mortise_websockets_open" ()
        "WebSockets now";
    WEBSOCKETS_CLOSED = "mortise_websockets_closed_total" ("code", "by")
        "WebSockets that are over, by the code they were closed with and by who closed them; 1006 is a connection that broke";
    WEBSOCKET_MESSAGES = "mortise_websocket_messages_total" ("direction")
        "Messages on WebSockets, in from callers and out to them";

    // Providers.
    PROVIDER_REQUESTS = "mortise_provider_requests_total" ("provider", "model", "outcome")
        "Operations that providers were asked for and that are over, by how they ended";
    PROVIDER_DURATION = "mortise_provider_request_duration_seconds" ["seconds"] ("provider", "model")
        "From the beginning of an operation to its end, streams included";
    FIRST_TOKEN = "mortise_first_token_seconds" ["seconds"] ("provider")
        "From the beginning of a streamed answer to the model's first word";
    CIRCUIT_OPEN = "mortise_provider_circuit_open" ("provider")
        "Whether a provider failed so often that it is passed over where there is another";
    TOKENS = "mortise_tokens_total" ("provider", "model", "direction")
        "Tokens that vendors reported; input includes cache_read and cache_write, output includes reasoning";
    COST = "mortise_cost_usd_total" ["usd"] ("provider", "model")
        "What operations cost in US dollars, where prices are known";

    // Plugins.
    PLUGIN_CALLS = "mortise_plugin_calls_total" ("plugin", "outcome")
        "Calls into guests";
    PLUGIN_TRAPS = "mortise_plugin_traps_total" ("plugin")
        "Guests that were stopped because they trapped or broke a limit";
    PLUGIN_DENIALS = "mortise_plugin_denials_total" ("plugin", "right")
        "Times that a guest was kept from what it may not do";
    TOOL_CALLS = "mortise_tool_calls_total" ("plugin", "tool", "outcome")
        "Calls of tools that are over, by how they ended";
    TOOL_DURATION = "mortise_tool_call_duration_seconds" ["seconds"] ("plugin", "tool")
        "From a tool call's beginning to its end, waiting included";
    PLUGIN_INSTANCES = "mortise_plugin_instances" ("plugin")
        "Instances that are alive, idle ones included";
    PLUGIN_LOADS = "mortise_plugin_loads_total" ("outcome")
        "Plugin files that were loaded or refused";

    CACHE_REQUESTS = "mortise_cache_requests_total" ("result")
        "Answers that were looked for in the cache";

    // The store.
    STORE_COMMITS = "mortise_store_commits_total" ()
        "Transactions that were committed to the store";
    STORE_BATCHES = "mortise_store_batches_total" ()
        "Changes that those transactions joined";
    STORE_SYNC = "mortise_store_commit_duration_seconds" ["seconds"] ()
        "How long a transaction took to be on disk";
    STORE_FAILURES = "mortise_store_failures_total" ()
        "What the store couldn't read or write because of its disk";

    // The server itself.
    BUILD = "mortise_build_info" ("version")
        "The version that runs";
    LOG_DROPPED = "mortise_log_lines_dropped_total" ()
        "Lines of the log that were dropped because whoever takes them was too slow";
    PROCESS_CPU = "process_cpu_seconds_total" ["seconds"] ()
        "Processor time that the process has used";
    PROCESS_OPEN_FDS = "process_open_fds" ()
        "File descriptors that are open";
    PROCESS_MAX_FDS = "process_max_fds" ()
        "File descriptors that may be open";
    PROCESS_VIRTUAL = "process_virtual_memory_bytes" ["bytes"] ()
        "Address space, most of it reserved for guests and never used";
    PROCESS_RESIDENT = "process_resident_memory_bytes" ["bytes"] ()
        "Memory in use";
    PROCESS_START = "process_start_time_seconds" ["seconds"] ()
        "When the process started, in seconds since 1970";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_they_should_be() {
        let mut names: Vec<&str> = ALL.iter().map(|family| family.name).collect();
        for family in ALL {
            let base = family.name.strip_suffix("_total").unwrap_or(family.name);
            assert!(family.unit.is_none_or(|unit| base.ends_with(unit)), "{}", family.name);
            assert!(family.name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{}", family.name);
            // The text format would need escapes for anything else.
            assert!(!family.help.is_empty() && !family.help.contains(['\\', '\n']), "{}", family.name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
