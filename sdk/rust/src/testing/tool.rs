//! Calling tools natively: a directory for the workspace, and a host that is told what to answer.
//!
//! ```
//! # use mortise_sdk::tool::{Call, Error, NoSettings, Reply, Tool, Toolbox};
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Arguments { text: String }
//! # fn count(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
//! #     Ok(Reply::json(&arguments.text.split_whitespace().count()))
//! # }
//! # struct Words;
//! # impl Toolbox for Words {
//! #     type Settings = NoSettings;
//! #     fn tools() -> Vec<Tool<NoSettings>> { vec![Tool::new("count_words", "Counts.", count)] }
//! # }
//! use mortise_sdk::testing::tool::Host;
//! use serde_json::json;
//!
//! let host = Host::new();
//! let answer = host.call::<Words>("count_words", json!({ "text": "to be or not" })).unwrap();
//! assert_eq!(answer.json, json!(4));
//! let error = host.call::<Words>("count_words", json!({ "txt": 1 })).unwrap_err();
//! assert!(error.message.contains("missing field `text`"));
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::bindings::tool::mortise::plugin::{kv as kv_host, process as process_host};
use crate::chat::ResultPart;
use crate::tool::fetch::{Failure, Request, Response};
use crate::tool::{self, Context, Error, Spec, Toolbox};

type OnFetch = Box<dyn FnMut(&Request) -> Result<Response, Failure>>;
type OnProcess = Box<dyn FnMut(&process_host::Command) -> Result<process_host::Finished, process_host::Error>>;

#[derive(Default)]
struct State {
    workspace: PathBuf,
    fetch: Option<OnFetch>,
    process: Option<OnProcess>,
    kept: BTreeMap<String, Vec<u8>>,
    reported: Vec<(Option<f32>, String)>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// The host of the calls of one test. One a thread at a time: a new one forgets what the last one was told.
pub struct Host {
    settings: String,
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its texts, joined by line feeds.
    pub text: String,
    /// What it says to programs; null where it says nothing.
    pub json: Value,
}

// === impl Host ===

impl Host {
    /// A host that grants nothing but the plugin's own memory.
    #[expect(clippy::new_without_default, reason = "making one forgets the last one, so it should be said in words")]
    pub fn new() -> Self {
        STATE.replace(State::default());
        Self { settings: String::new() }
    }

    /// Sets what an operator sets.
    #[must_use]
    pub fn settings(mut self, settings: &Value) -> Self {
        self.settings = settings.to_string();
        self
    }

    /// Grants a directory as the workspace.
    #[must_use]
    pub fn workspace(self, directory: impl AsRef<Path>) -> Self {
        STATE.with_borrow_mut(|state| state.workspace = directory.as_ref().to_owned());
        self
    }

    /// Answers requests to the web.
    #[must_use]
    pub fn web(self, answer: impl FnMut(&Request) -> Result<Response, Failure> + 'static) -> Self {
        STATE.with_borrow_mut(|state| state.fetch = Some(Box::new(answer)));
        self
    }

    /// Plays the programs.
    #[must_use]
    pub fn processes(
        self,
        run: impl FnMut(&process_host::Command) -> Result<process_host::Finished, process_host::Error> + 'static,
    ) -> Self {
        STATE.with_borrow_mut(|state| state.process = Some(Box::new(run)));
        self
    }

    /// Grants programs of this machine, which run in the workspace, without the environment but for `PATH`.
    #[must_use]
    pub fn programs(self, granted: &'static [&'static str]) -> Self {
        self.processes(move |command| {
            if !granted.contains(&command.program.as_str()) {
                return Err(process_host::Error::Denied);
            }
            run_here(command)
        })
    }

    /// What the toolbox says about its tools.
    pub fn list<T: Toolbox>(&self) -> Result<Vec<Spec>, Error> {
        tool::list::<T>(&self.settings)
    }

    /// Calls a tool.
    pub fn call<T: Toolbox>(&self, name: &str, arguments: Value) -> Result<Answer, Error> {
        let context = Context { session: Some("session".to_owned()), run: None, call: "call".to_owned() };
        let output = tool::call::<T>(name, &arguments.to_string(), context, &self.settings)?;
        let texts: Vec<&str> = output
            .parts
            .iter()
            .filter_map(|part| if let ResultPart::Text(text) = part { Some(text.as_str()) } else { None })
            .collect();
        let json = output.structured.map(|text| match serde_json::from_str(&text) {
            Ok(json) => json,
            Err(error) => panic!("what the tool says to programs is no JSON ({error}): {text}"),
        });
        Ok(Answer { text: texts.join("\n"), json: json.unwrap_or_default() })
    }

    /// What was reported of the progress.
    pub fn reported(&self) -> Vec<(Option<f32>, String)> {
        STATE.with_borrow(|state| state.reported.clone())
    }
}

#[expect(clippy::disallowed_methods, reason = "programs are found as on this machine")]
fn run_here(command: &process_host::Command) -> Result<process_host::Finished, process_host::Error> {
    let mut child = std::process::Command::new(&command.program)
        .args(&command.arguments)
        .current_dir(workspace().join(command.directory.as_deref().unwrap_or_default()))
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|_| process_host::Error::NotFound)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program need not read what it is given.
        let _ = stdin.write_all(&command.stdin);
    }
    let output = child.wait_with_output().map_err(|_| process_host::Error::Unavailable)?;
    let code = output.status.code();
    Ok(process_host::Finished { code, stdout: output.stdout, stderr: output.stderr, truncated: false })
}

// === what the tools' side calls ===

pub(crate) fn workspace() -> PathBuf {
    let granted = STATE.with_borrow(|state| state.workspace.clone());
    assert!(!granted.as_os_str().is_empty(), "the test has granted no workspace: Host::workspace");
    granted
}

pub(crate) fn report(fraction: Option<f32>, message: &str) {
    STATE.with_borrow_mut(|state| state.reported.push((fraction, message.to_owned())));
}

pub(crate) fn exchange(request: &Request) -> Result<Response, Failure> {
    let handler = STATE.with_borrow_mut(|state| state.fetch.take());
    let Some(mut handler) = handler else { return Err(Failure::denied("the test has granted no web: Host::web")) };
    let mut answer = handler(request);
    STATE.with_borrow_mut(|state| state.fetch = Some(handler));
    if let Ok(response) = &mut answer
        && response.body.len() > request.limit
    {
        response.body.truncate(request.limit);
        response.truncated = true;
    }
    answer
}

pub(crate) mod process {
    //! The interface `process`, played.

    use super::{STATE, process_host};

    pub(crate) fn run(command: &process_host::Command) -> Result<process_host::Finished, process_host::Error> {
        let handler = STATE.with_borrow_mut(|state| state.process.take());
        let mut handler = handler.ok_or(process_host::Error::Denied)?;
        let answer = handler(command);
        STATE.with_borrow_mut(|state| state.process = Some(handler));
        answer
    }
}

pub(crate) mod kv {
    //! The interface `kv`, in memory.

    use super::{STATE, kv_host};

    const LARGEST: usize = 64 << 10;
    const QUOTA: usize = 1 << 20;

    pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, kv_host::Error> {
        Ok(STATE.with_borrow(|state| state.kept.get(key).cloned()))
    }

    pub(crate) fn set(key: &str, value: &[u8]) -> Result<(), kv_host::Error> {
        if key.len() + value.len() > LARGEST {
            return Err(kv_host::Error::TooLarge);
        }
        STATE.with_borrow_mut(|state| {
            let others = state.kept.iter().filter(|(own, _)| *own != key).map(|(own, value)| own.len() + value.len());
            if others.sum::<usize>() + key.len() + value.len() > QUOTA {
                return Err(kv_host::Error::Quota);
            }
            state.kept.insert(key.to_owned(), value.to_owned());
            Ok(())
        })
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the interface has it")]
    pub(crate) fn delete(key: &str) -> Result<(), kv_host::Error> {
        STATE.with_borrow_mut(|state| state.kept.remove(key));
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the interface has it")]
    pub(crate) fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, kv_host::Error> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(STATE.with_borrow(|state| {
            let keys = state.kept.keys().filter(|key| key.starts_with(prefix));
            keys.filter(|key| after.is_none_or(|after| key.as_str() > after)).take(limit).cloned().collect()
        }))
    }
}
