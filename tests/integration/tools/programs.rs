//! A guest that starts whatever program it is told to.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{denied, failure, output, plugin, server};
use crate::harness::Server;

/// A server whose guest may start `programs`, within the limits of `process`.
async fn starting(programs: &str, process: &str) -> Server {
    let grants = format!("tool-runner: {{workspace: read-write, programs: [{programs}]}}");
    let launcher = env!("CARGO_BIN_EXE_mortise");
    let yaml = format!("plugins: {{process: {{launcher: \"{launcher}\"{process}}}, grants: {{{grants}}}}}");
    server(&["tool-runner"], &yaml).await
}

fn shell(script: &str) -> Value {
    json!({"program": "sh", "arguments": ["-c", script]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_works_in_the_workspace() {
    let server = starting("sh, cat", "").await;
    assert_eq!(
        output(&server, "run", json!({"program": "cat", "stdin": "through"})).await,
        "code Some(0) truncated false\nthrough"
    );
    let script = "echo one > a; mkdir d; pwd; cat a; echo two >&2; exit 7";
    assert_eq!(output(&server, "run", shell(script)).await, "code Some(7) truncated false\n/workspace\none\ntwo\n");
    let missing = json!({"program": "cat", "directory": "nowhere"});
    failure(&server, "run", missing, 422, "TOOL_EXECUTION_FAILED").await;
    let seen = plugin(&server, "tool-runner").await;
    assert!(seen["confinement"].as_str().unwrap().contains("namespaces of their own"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_programs_that_are_granted_are_started() {
    let server = starting("cat", "").await;
    for program in ["sh", "ls", "/bin/sh", "../bin/cat", "./cat", ""] {
        denied(&server, "tool-runner", "run", json!({ "program": program }), &[]).await;
    }
    denied(
        &server,
        "tool-runner",
        "run",
        json!({"program": "ls"}),
        &["it may start cat", "plugins.grants.tool-runner.programs"],
    )
    .await;
    denied(&server, "tool-runner", "run", json!({"program": "cat", "directory": "../.."}), &["relative"]).await;
    let any = starting("\"*\"", "").await;
    assert!(output(&any, "run", json!({"program": "true"})).await.starts_with("code Some(0)"));
    denied(&any, "tool-runner", "run", shell("true"), &["`sh`"]).await;
    failure(&any, "run", json!({"program": "no-such-program"}), 422, "TOOL_EXECUTION_FAILED").await;
    let none = starting("", "").await;
    denied(&none, "tool-runner", "run", json!({"program": "cat"}), &["it may start none"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_sees_nothing_of_the_server() {
    let server = starting("sh", "").await;
    let secret = server.home().join("secret");
    std::fs::write(&secret, "the operator's").unwrap();
    let home = server.home().display();
    let script = format!(
        "cat {}; ls {home} /root /home /var; cat /etc/shadow; cat /proc/1/environ; ls /proc | grep -c '^[0-9]*$'; \
         env | grep -v -E '^(PATH|HOME|TMPDIR|PWD|LANG|OLDPWD|SHLVL|_)='; touch /usr/x /etc/x /x /bin/x; \
         ln -s /etc/passwd l; ls /workspace; echo over",
        secret.display()
    );
    let answer = output(&server, "run", shell(&script)).await;
    assert!(!answer.contains("the operator's") && answer.contains("over"), "{answer}");
    for inside in ["root:", "plugins", "data", "MORTISE", "CARGO"] {
        let lines = answer.lines().filter(|line| !line.contains("cannot access") && !line.contains("can't"));
        assert!(
            !lines.into_iter().any(|line| line.contains(inside) && !line.contains("No such file")),
            "{inside}: {answer}"
        );
    }
    let network = "cat /proc/net/route | wc -l; (exec 3<>/dev/tcp/127.0.0.1/1) 2>&1; ls /sys/class/net 2>&1; echo over";
    assert!(output(&server, "run", shell(network)).await.contains("over"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_behind() {
    let server = starting("sh, setsid, sleep", "").await;
    let mark = "7777.125";
    let script =
        format!("sleep {mark} & setsid sleep {mark} & (setsid sh -c 'sleep {mark} & sleep {mark}' &) ; echo started");
    let answer = output(&server, "run", shell(&script)).await;
    assert!(answer.contains("started"), "{answer}");
    crate::patience::until("what ran in the background to be gone", async || (running(mark) == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_takes_too_long_is_stopped_with_all_that_it_started() {
    let server = starting("sh, sleep", ", time: 700ms").await;
    let began = Instant::now();
    let mark = "7777.25";
    let script = shell(&format!("sleep {mark} & sleep {mark}"));
    denied(&server, "tool-runner", "run", script, &["plugins.process.time"]).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    crate::patience::until("it to be gone", async || (running(mark) == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_burns_out() {
    let server = starting("sh", ", processes: 32, time: 3s").await;
    // Either the system lets it have no more processes until its time is over, or the watch ends it for having too many.
    super::call(&server, "run", shell("bomb() { bomb | bomb & }; bomb; while :; do :; done")).await;
    let seen = plugin(&server, "tool-runner").await;
    assert!(seen["last_denial"].as_str().unwrap().contains("plugins.process."), "{seen}");
    assert!(output(&server, "run", shell("echo well")).await.ends_with("well\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_time_and_files_are_bounded() {
    let server = starting("sh, \"yes\"", ", memory: 64MiB, cpu: 1s, file_size: 1MiB, output: 4KiB, time: 30s").await;
    for (script, words) in [
        ("while :; do :; done", "plugins.process.cpu"),
        ("yes > big", "plugins.process.file_size"),
        ("a=x; while :; do a=$a$a; done", "memory"),
        ("yes", "plugins.process.output"),
    ] {
        let answer = super::call(&server, "run", shell(script)).await;
        let seen = plugin(&server, "tool-runner").await;
        let denial = seen["last_denial"].as_str().unwrap_or_default();
        let ended = words == "memory" && answer.text().contains("code Some(2)");
        assert!(denial.contains(words) || ended, "{script}: {seen} {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_programs_write_into_a_session_is_bounded() {
    let launcher = env!("CARGO_BIN_EXE_mortise");
    let grants = "tool-runner: {workspace: read-write, programs: [sh]}";
    let yaml = format!(
        "sessions: {{workspace_quota: 1MiB}}\nplugins: {{process: {{launcher: \"{launcher}\", time: 30s}}, grants: {{{grants}}}}}"
    );
    let server = server(&["tool-runner"], &yaml).await;
    let session = server.client.post("/api/v1/sessions", &json!({})).await.expect(201);
    let run = async |script: &str| {
        let asked = json!({"session_id": session["id"], "arguments": shell(script)});
        server.client.post("/api/v1/tools/run/call", &asked).await
    };
    assert_eq!(run("echo well > a").await.status(), 200);
    // Many files, none of them large, and it would go on for ever.
    let endless = "n=0; while :; do n=$((n+1)); head -c 100000 /dev/zero > f$n; done";
    run(endless).await;
    let seen = plugin(&server, "tool-runner").await["last_denial"].to_string();
    assert!(seen.contains("sessions.workspace_quota"), "{seen}");
    let refused = run("echo more").await;
    assert!(refused.text().contains("sessions.workspace_quota"), "a full one takes no program: {}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_waits_for_is_stopped() {
    let server = starting("sleep", "").await;
    let mark = "7777.5";
    let client = server.client;
    let asked = json!({"arguments": {"program": "sleep", "arguments": [mark]}});
    let calling = tokio::spawn(async move { client.post("/api/v1/tools/run/call", &asked).await.status() });
    crate::patience::until("it to run", async || (running(mark) > 0).then_some(())).await;
    calling.abort();
    crate::patience::until("it to be gone", async || (running(mark) == 0).then_some(())).await;
}

/// Processes of this machine that sleep for so long.
fn running(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let sleeps = |line: &Vec<u8>| {
        let mut arguments = line.split(|byte| *byte == 0);
        arguments.next().is_some_and(|name| name.ends_with(b"sleep")) && arguments.any(|a| a == mark.as_bytes())
    };
    lines.filter(sleeps).count()
}
