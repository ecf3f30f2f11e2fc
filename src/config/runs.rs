//! `runs`: what bounds agents.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units::{byte_size, duration};
use crate::model::run::Approval;

/// What bounds agents.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Runs {
    /// Answers of the model in one run.
    pub max_iterations: u32,
    /// How long a run may be at work; waiting for people isn't counted.
    #[serde(with = "duration")]
    pub max_time: Duration,
    /// Tokens that a run may take, read and written.
    pub max_tokens: u64,
    /// US dollars that a run may cost, as far as prices are known.
    pub max_cost: Option<f64>,
    /// Runs at work at once; others wait.
    pub concurrency: usize,
    /// How often in a row an answer is asked for again that broke off.
    pub retries: u32,
    /// When a person is asked before a tool is called, where the task doesn't say.
    pub approval: Approval,
    /// Bytes of a tool's output that a model is told; the middle of what is longer is left out.
    #[serde(with = "byte_size")]
    pub tool_output: usize,
    /// Tokens of a conversation, of models of which nothing is known; older tool output is left out of longer ones.
    pub context_window: u64,
    /// Whether runs go on that the server's end interrupted.
    pub resume: bool,
    /// Directories of this machine that sessions of the agent API may name as their working directory, with all below.
    pub directories: Vec<PathBuf>,
}

impl Default for Runs {
    fn default() -> Self {
        Self {
            max_iterations: 50,
            max_time: Duration::from_secs(3600),
            max_tokens: 2_000_000,
            max_cost: None,
            concurrency: 256,
            retries: 3,
            approval: Approval::Never,
            tool_output: 64 << 10,
            context_window: 96_000,
            resume: true,
            directories: Vec::new(),
        }
    }
}
