//! What callers of the prompt surface send.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::beside::{OneOfMany, closed, one_of_many};
use super::fields::{flag, known, needed, several, text, too_many};
use crate::http::Fields;
use crate::model::{Error, Result};
use crate::service::prompt::{Keep, PREVIOUS, Prompt, SESSION};

/// One prompt to one backend.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "the modes of tools and the number of turns are checked; a model alone has no use for them"
)]
pub(in crate::api::v1) struct PromptRequest {
    /// Who is asked: a provider, `provider/model`, or a route.
    #[schemars(regex(pattern = r"\S"))]
    pub(super) backend: String,
    /// What is asked; not blank.
    #[schemars(regex(pattern = r"\S"))]
    pub(super) prompt: String,
    /// In place of the backend's own model.
    pub(super) model: Option<String>,
    /// An absolute path, below what the operator allows. A prompt is answered by the model alone, which sees no files.
    pub(super) workdir: Option<String>,
    /// Whether no session is to be kept.
    pub(super) ephemeral: Option<bool>,
    /// When tools ask before they act. A prompt is answered by the model alone, which has none.
    pub(super) approval_mode: Option<ApprovalMode>,
    /// What tools may reach. A prompt is answered by the model alone, which has none.
    pub(super) sandbox_mode: Option<SandboxMode>,
    /// `stream-json` gives the answer line by line, as it comes; the others give it whole.
    pub(super) output_format: Option<OutputFormat>,
    /// The longest answer, in tokens; 0 is no limit.
    #[schemars(range(min = 0, max = 4_294_967_295_u32))]
    pub(super) max_tokens: Option<u32>,
    /// The most turns between model and tools; 0 is no limit. A prompt takes one.
    #[schemars(range(min = 0, max = 4_294_967_295_u32))]
    pub(super) max_turns: Option<u32>,
    /// What the model is told beside the prompt.
    pub(super) system_prompt: Option<String>,
    /// Whether the result tells who served it.
    pub(super) verbose: Option<bool>,
    /// Whether nobody is asked, only told who would be.
    pub(super) dry_run: Option<bool>,
    /// Flags for the backend; a backend that knows none of them fails.
    pub(super) extra: Option<Vec<String>>,
    /// The caller's own words about it, kept with the session.
    pub(super) metadata: Option<BTreeMap<String, String>>,
    /// The session that goes on, as an earlier answer named it.
    pub(super) session_id: Option<String>,
}

/// When tools ask before they act.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ApprovalMode {
    Default,
    Auto,
    None,
    Always,
}

/// What tools may reach.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SandboxMode {
    Default,
    ReadOnly,
    Workspace,
    Full,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OutputFormat {
    Default,
    Text,
    Json,
    StreamJson,
}

/// Prompts side by side.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::api::v1) struct ParallelRequest {
    /// What is asked of whom.
    #[schemars(length(min = 1), with = "Vec<OneOfMany>")]
    pub(super) tasks: Vec<PromptRequest>,
    /// How many run at once; without it, as many as the operator set.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub(super) max_parallel: Option<u32>,
    /// Whether one that fails ends the others.
    #[schemars(with = "Option<bool>")]
    pub(super) fail_fast: bool,
    /// Whether all answers are wanted as one text too.
    #[schemars(with = "Option<bool>")]
    pub(super) aggregate: bool,
    /// Whether nobody is asked, only told who would be.
    #[schemars(with = "Option<bool>")]
    pub(super) dry_run: bool,
}

/// Prompts one after the other.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::api::v1) struct ChainRequest {
    /// The steps, in order.
    #[schemars(length(min = 1))]
    pub(super) steps: Vec<Step>,
    /// Whether one that fails is the last.
    #[schemars(with = "Option<bool>")]
    pub(super) stop_on_failure: bool,
    /// Whether a step that names no directory has that of the step before.
    #[schemars(with = "Option<bool>")]
    pub(super) pass_working_dir: bool,
    /// Whether nobody is asked, only told who would be.
    #[schemars(with = "Option<bool>")]
    pub(super) dry_run: bool,
    /// Steps share no session: this can't be true.
    #[schemars(with = "Option<bool>", extend("enum" = [false, null]))]
    #[expect(dead_code, reason = "it can't be true")]
    pub(super) pass_session_id: (),
    /// Steps keep no session: this can't be true.
    #[schemars(with = "Option<bool>", extend("enum" = [false, null]))]
    #[expect(dead_code, reason = "it can't be true")]
    pub(super) persist_sessions: (),
}

/// A step of a chain.
#[derive(JsonSchema)]
#[schemars(transform = one_of_many, transform = closed)]
pub(super) struct Step {
    /// Names it in the result.
    pub(super) name: Option<String>,
    /// What is asked of whom. In its `prompt`, `{{previous}}` stands for the output of the step before.
    #[schemars(flatten)]
    pub(super) prompt: PromptRequest,
}

/// One prompt to several backends.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in crate::api::v1) struct CompareRequest {
    /// Who is asked.
    #[schemars(length(min = 1), inner(regex(pattern = r"\S")))]
    pub(super) backends: Vec<String>,
    /// What is asked; not blank.
    #[schemars(regex(pattern = r"\S"))]
    pub(super) prompt: String,
    /// In place of each backend's own model.
    pub(super) model: Option<String>,
    /// An absolute path, below what the operator allows.
    pub(super) workdir: Option<String>,
    /// What each model is told beside the prompt.
    pub(super) system_prompt: Option<String>,
    /// The longest answer of each, in tokens; 0 is no limit.
    #[schemars(range(min = 0, max = 4_294_967_295_u32))]
    pub(super) max_tokens: Option<u32>,
    /// Whether they are asked one after the other.
    #[schemars(with = "Option<bool>")]
    pub(super) sequential: bool,
    /// Whether nobody is asked, only told who would be.
    #[schemars(with = "Option<bool>")]
    pub(super) dry_run: bool,
}

const PROMPT: &[&str] = &[
    "backend",
    "prompt",
    "model",
    "workdir",
    "ephemeral",
    "approval_mode",
    "sandbox_mode",
    "output_format",
    "max_tokens",
    "max_turns",
    "system_prompt",
    "verbose",
    "dry_run",
    "extra",
    "metadata",
    "session_id",
];

// === impl PromptRequest ===

impl PromptRequest {
    pub(in crate::api::v1) fn read(mut body: Fields) -> Result<Self> {
        let request = Self::take(&mut body)?;
        if request.session_id.is_some() && request.ephemeral == Some(true) {
            return Err(body.wrong("session_id", "what is ephemeral is in no session; leave one of both out"));
        }
        known(body, PROMPT)?;
        Ok(request)
    }

    fn take(body: &mut Fields) -> Result<Self> {
        Ok(Self {
            backend: text(body, "backend")?,
            prompt: text(body, "prompt")?,
            model: body.take("model")?,
            workdir: body.take("workdir")?,
            ephemeral: body.take("ephemeral")?,
            approval_mode: body.take("approval_mode")?,
            sandbox_mode: body.take("sandbox_mode")?,
            output_format: body.take("output_format")?,
            max_tokens: body.take_integer("max_tokens")?,
            max_turns: body.take_integer("max_turns")?,
            system_prompt: body.take("system_prompt")?,
            verbose: body.take("verbose")?,
            dry_run: body.take("dry_run")?,
            extra: body.take("extra")?,
            metadata: body.take("metadata")?,
            session_id: body.take("session_id")?,
        })
    }

    /// One of several, whose answer can't come line by line.
    fn take_whole(body: &mut Fields) -> Result<Self> {
        let request = Self::take(body)?;
        if request.session_id.is_some() {
            return Err(body.wrong("session_id", "only a single prompt has a session; POST it to /api/v1/prompt"));
        }
        if request.streams() {
            return Err(body.wrong("output_format", "only a single prompt can be streamed; POST it to /api/v1/prompt"));
        }
        Ok(request)
    }

    pub(super) fn streams(&self) -> bool {
        self.output_format == Some(OutputFormat::StreamJson)
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.verbose == Some(true)
    }

    /// What it is kept in, if it is kept: what nobody is asked isn't.
    pub(super) fn keep(&self) -> Option<Keep> {
        if self.ephemeral == Some(true) || self.dry_run == Some(true) {
            return None;
        }
        let metadata = self.metadata.iter().flatten().map(|(name, value)| (name.clone(), value.clone().into()));
        Some(Keep { session: self.session_id.clone(), metadata: metadata.collect() })
    }

    /// What is asked.
    pub(super) fn into_prompt(self) -> Prompt {
        Prompt {
            backend: self.backend,
            model: self.model.filter(|model| !model.is_empty()),
            text: self.prompt,
            system: self.system_prompt.filter(|text| !text.trim().is_empty()),
            max_tokens: self.max_tokens.filter(|most| *most > 0),
            workdir: self.workdir.filter(|path| !path.is_empty()),
            flags: self.extra.unwrap_or_default(),
            dry_run: self.dry_run == Some(true),
            before: Vec::new(),
        }
    }
}

// === impl ParallelRequest ===

impl ParallelRequest {
    /// Of `most` tasks at most.
    pub(in crate::api::v1) fn read(mut body: Fields, most: usize) -> Result<Self> {
        let tasks = several(&mut body, "tasks", most)?;
        let tasks = tasks.into_iter().map(|mut task| {
            let request = PromptRequest::take_whole(&mut task)?;
            known(task, PROMPT).map(|()| request)
        });
        let request = Self {
            tasks: tasks.collect::<Result<_>>()?,
            max_parallel: body.take_integer("max_parallel")?,
            fail_fast: flag(&mut body, "fail_fast")?,
            aggregate: flag(&mut body, "aggregate")?,
            dry_run: flag(&mut body, "dry_run")?,
        };
        if request.max_parallel == Some(0) {
            return Err(body.wrong("max_parallel", "it must be at least 1"));
        }
        known(body, &["tasks", "max_parallel", "fail_fast", "aggregate", "dry_run"])?;
        Ok(request)
    }
}

// === impl ChainRequest ===

impl ChainRequest {
    /// Of `most` steps at most.
    pub(in crate::api::v1) fn read(mut body: Fields, most: usize) -> Result<Self> {
        for name in ["pass_session_id", "persist_sessions"] {
            if flag(&mut body, name)? {
                let what = format!("steps share no session; leave it out, and use {PREVIOUS} for what came before");
                return Err(body.wrong(name, &what));
            }
        }
        let mut steps = Vec::new();
        for (index, mut step) in several(&mut body, "steps", most)?.into_iter().enumerate() {
            let name: Option<String> = step.take("name")?;
            let prompt = PromptRequest::take_whole(&mut step)?;
            if prompt.prompt.contains(SESSION) {
                let what = format!("chain step {} uses {SESSION}, but steps share no session", index + 1);
                let path = step.path_of("prompt");
                return Err(Error::invalid(&path, what).with_details(json!({"field": path})));
            }
            known(step, &[&["name"], PROMPT].concat())?;
            steps.push(Step { name, prompt });
        }
        let request = Self {
            steps,
            stop_on_failure: flag(&mut body, "stop_on_failure")?,
            pass_working_dir: flag(&mut body, "pass_working_dir")?,
            dry_run: flag(&mut body, "dry_run")?,
            pass_session_id: (),
            persist_sessions: (),
        };
        let names = ["steps", "stop_on_failure", "pass_working_dir", "dry_run", "pass_session_id", "persist_sessions"];
        known(body, &names)?;
        Ok(request)
    }
}

// === impl CompareRequest ===

impl CompareRequest {
    /// Of `most` backends at most.
    pub(in crate::api::v1) fn read(mut body: Fields, most: usize) -> Result<Self> {
        let backends: Vec<String> = body.take("backends")?.unwrap_or_default();
        if backends.is_empty() {
            return Err(needed(&body, "backends", "are"));
        }
        if backends.len() > most {
            return Err(body.wrong("backends", &too_many(most)));
        }
        if let Some(index) = backends.iter().position(|backend| backend.trim().is_empty()) {
            return Err(body.wrong(&format!("backends[{index}]"), "it is empty; name a backend"));
        }
        let request = Self {
            backends,
            prompt: text(&mut body, "prompt")?,
            model: body.take("model")?,
            workdir: body.take("workdir")?,
            system_prompt: body.take("system_prompt")?,
            max_tokens: body.take_integer("max_tokens")?,
            sequential: flag(&mut body, "sequential")?,
            dry_run: flag(&mut body, "dry_run")?,
        };
        let names = ["backends", "prompt", "model", "workdir", "system_prompt", "max_tokens", "sequential", "dry_run"];
        known(body, &names)?;
        Ok(request)
    }

    /// A prompt for each.
    pub(super) fn prompts(&self) -> Vec<Prompt> {
        let prompt = |backend: &String| Prompt {
            backend: backend.clone(),
            model: self.model.clone().filter(|model| !model.is_empty()),
            text: self.prompt.clone(),
            system: self.system_prompt.clone().filter(|text| !text.trim().is_empty()),
            max_tokens: self.max_tokens.filter(|most| *most > 0),
            workdir: self.workdir.clone().filter(|path| !path.is_empty()),
            flags: Vec::new(),
            dry_run: self.dry_run,
            before: Vec::new(),
        };
        self.backends.iter().map(prompt).collect()
    }
}
