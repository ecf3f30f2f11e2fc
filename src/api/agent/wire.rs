//! The JSON of tasks: what callers send, and what they are shown.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::api::speaker::PATTERN;
use crate::http::Fields;
use crate::model::run::{Artifact, Plan, Question, Rules, Run};
use crate::model::{Error, Kind, Result};
use crate::service::run::New;

/// What an agent is to do.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it is read field by field; this is what the API document says of it")]
pub(super) struct TaskRequest {
    /// What is to be done; not blank.
    #[schemars(regex(pattern = r"\S"), length(max = 100_000))]
    description: String,
    /// How one can tell that it is done.
    acceptance_criteria: Option<Vec<String>>,
    /// Which model: its name, `provider/model`, or nothing for the server's default.
    model: Option<String>,
    /// Who is asked; without it, who has the model.
    provider: Option<String>,
    /// Which tools there are: `offline`, those of the workspace; `browse`, those of the web too; `interactive`, questions to
    /// whoever watches as well.
    #[schemars(extend("enum" = ["offline", "browse", "interactive", null]))]
    run_mode: Option<String>,
    /// Calls that may be made, such as `Read`, `Bash(git:*)`, `mcp__server__tool` or `*`; all where left out.
    #[schemars(inner(regex(pattern = PATTERN)))]
    allowed_tools: Option<Vec<String>>,
    /// Calls that may not be made.
    #[schemars(inner(regex(pattern = PATTERN)))]
    disallowed_tools: Option<Vec<String>>,
    /// How strict to be.
    #[schemars(extend("enum" = ["default", "acceptEdits", "bypassPermissions", "requirePermissions", "plan", null]))]
    permission_mode: Option<String>,
    /// When a person is asked before a tool is called; the operator may want it more often.
    #[schemars(extend("enum" = ["never", "on-write", "always", null]))]
    approval: Option<String>,
    /// Answers of the model, at most as many as the operator allows.
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    max_iterations: Option<u32>,
    /// Seconds at work.
    #[schemars(range(min = 1, max = LARGEST))]
    timeout_seconds: Option<u64>,
    /// Tokens, read and written.
    #[schemars(range(min = 1, max = LARGEST))]
    max_tokens: Option<u64>,
    /// US dollars, as far as prices are known.
    #[schemars(range(min = 0.0))]
    max_cost: Option<f64>,
}

/// The largest number that every reader of JSON reads exactly.
const LARGEST: u64 = (1 << 53) - 1;

const KNOWN: &str = "description, acceptance_criteria, model, provider, run_mode, allowed_tools, disallowed_tools, \
                     permission_mode, approval, max_iterations, timeout_seconds, max_tokens, max_cost";

/// Words to a task.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "it is read field by field; this is what the API document says of it")]
pub(super) struct InputRequest {
    /// What the agent is told.
    #[schemars(regex(pattern = r"\S"), length(max = 100_000))]
    content: String,
}

/// What a person says to a call that waits.
#[derive(Debug, JsonSchema)]
#[expect(dead_code, reason = "it is read field by field; this is what the API document says of it")]
pub(super) struct ApprovalRequest {
    /// Whether the call may be made.
    approved: bool,
    /// Why, in words for the model.
    reason: Option<String>,
}

/// A task that was begun.
#[derive(Serialize, JsonSchema)]
pub(super) struct TaskStarted {
    /// Names it.
    id: String,
    /// What is to be done.
    description: String,
    /// `running`, or `pending` while others have the room.
    status: &'static str,
    /// When it was made.
    created_at: String,
}

/// A task in a list.
#[derive(Serialize, JsonSchema)]
pub(super) struct TaskSummary {
    /// Names it.
    pub(super) id: String,
    /// What is to be done.
    description: String,
    /// `pending`, `running`, `waiting`, `completed`, `failed`, `stopped` or `interrupted`.
    status: &'static str,
    /// When it was made.
    created_at: String,
    /// When it was over; null while it isn't.
    completed_at: Option<String>,
    /// Answers of the model so far.
    iterations: u32,
}

/// A task, and how far it has come.
#[derive(Serialize, JsonSchema)]
pub(super) struct TaskView {
    /// Names it.
    id: String,
    /// What is to be done.
    description: String,
    /// `pending`, `running`, `waiting`, `completed`, `failed`, `stopped` or `interrupted`.
    status: &'static str,
    /// When it was made.
    created_at: String,
    /// When it was over; null while it isn't.
    completed_at: Option<String>,
    /// Answers of the model so far.
    iterations: u32,
    /// What the agent intends to do.
    plan: PlanView,
    /// What came of it; null while it goes on.
    result: Option<ResultView>,
    /// The session that it belongs to.
    session_id: Option<String>,
    /// The model that was asked for.
    model: Option<String>,
    /// Calls of tools that came to their end.
    tool_calls: u32,
    /// What it took.
    usage: UsageView,
    /// What the agent waits for a person to say; null where it doesn't.
    approval: Option<ApprovalView>,
}

/// What an agent intends to do.
#[derive(Serialize, JsonSchema)]
pub(super) struct PlanView {
    /// In order.
    steps: Vec<StepView>,
}

/// One step of a plan.
#[derive(Serialize, JsonSchema)]
pub(super) struct StepView {
    /// Names it within the plan.
    id: String,
    /// What is to be done.
    description: String,
    /// `pending`, `in_progress`, `completed`, `failed` or `skipped`.
    status: String,
}

/// What came of a task.
#[derive(Serialize, JsonSchema)]
struct ResultView {
    /// Whether it is done.
    success: bool,
    /// In words.
    summary: String,
    /// What went wrong, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// What a task took.
#[derive(Serialize, JsonSchema)]
struct UsageView {
    /// Tokens that the model read.
    input_tokens: u64,
    /// Tokens that it wrote.
    output_tokens: u64,
    /// US dollars, as far as prices are known.
    cost_usd: Option<f64>,
}

/// A call that waits for a person, or a question of the model.
#[derive(Serialize, JsonSchema)]
pub(super) struct ApprovalView {
    /// Names it.
    id: String,
    /// The tool.
    tool: String,
    /// What it would be given.
    input: Value,
    /// Why a person is asked.
    reason: String,
    /// Since when.
    created_at: String,
}

/// How a task is after something was done to it.
#[derive(Serialize, JsonSchema)]
pub(super) struct TaskStatus {
    /// Names it.
    id: String,
    /// How it is.
    status: &'static str,
}

/// What a task left.
#[derive(Serialize, JsonSchema)]
pub(super) struct ArtifactView {
    /// Names it.
    id: String,
    /// A file's name: `plan.json`, `diff.patch`, `transcript.json` or `final_summary.md`.
    name: String,
    /// `plan`, `diff`, `transcript` or `summary`.
    r#type: String,
    /// Bytes.
    size: u64,
    /// When it was made.
    created_at: String,
}

// === impl TaskRequest ===

impl TaskRequest {
    pub(super) fn read(mut body: Fields) -> Result<New> {
        let mut description: String = body.require("description")?;
        if description.trim().is_empty() || description.len() > 100_000 {
            return Err(body.wrong("description", "it must say what is to be done, in at most 100000 bytes"));
        }
        let criteria: Vec<String> = body.take("acceptance_criteria")?.unwrap_or_default();
        if !criteria.is_empty() {
            description.push_str("\n\nIt is done when:");
            criteria.iter().for_each(|one| description.push_str(&format!("\n- {one}")));
        }
        let modes = "it can be default, acceptEdits, bypassPermissions, requirePermissions or plan";
        let rules = Rules {
            allowed: patterns(&mut body, "allowed_tools")?,
            disallowed: patterns(&mut body, "disallowed_tools")?,
            mode: word(&mut body, "permission_mode", modes)?.unwrap_or_default(),
            approval: word(&mut body, "approval", "it can be never, on-write or always")?.unwrap_or_default(),
        };
        let new = New {
            description,
            provider: body.take("provider")?,
            model: body.take("model")?,
            reach: word(&mut body, "run_mode", "it can be offline, browse or interactive")?.unwrap_or_default(),
            rules,
            iterations: body.take_integer("max_iterations")?,
            seconds: body.take_integer("timeout_seconds")?,
            tokens: body.take_integer("max_tokens")?,
            cost: body.take("max_cost")?,
            ..New::default()
        };
        let zero = [
            ("max_iterations", new.iterations == Some(0)),
            ("timeout_seconds", new.seconds == Some(0)),
            ("max_tokens", new.tokens == Some(0)),
            ("max_cost", new.cost.is_some_and(|cost| cost < 0.0)),
        ];
        let huge = [("timeout_seconds", new.seconds), ("max_tokens", new.tokens)];
        if let Some((name, _)) = huge.iter().find(|(_, number)| number.is_some_and(|number| number > LARGEST)) {
            return Err(body.wrong(name, &format!("it is more than {LARGEST}")));
        }
        if let Some((name, _)) = zero.iter().find(|(_, wrong)| *wrong) {
            return Err(body.wrong(name, "it is too small"));
        }
        nothing_else(body, KNOWN)?;
        Ok(new)
    }
}

/// Refuses what is left of `body`.
pub(super) fn nothing_else(body: Fields, known: &str) -> Result<()> {
    match body.into_extra().first() {
        None => Ok(()),
        Some(field) => {
            let what = format!("Unknown field: {}; known are {known}", field.name);
            Err(Error::caller(Kind::InvalidValue, what).with_param(field.name.clone()))
        }
    }
}

fn patterns<P: std::str::FromStr<Err = String>>(body: &mut Fields, name: &str) -> Result<Vec<P>> {
    let texts: Vec<String> = body.take(name)?.unwrap_or_default();
    texts.iter().map(|text| text.parse().map_err(|why: String| body.wrong(name, &why))).collect()
}

fn word<T: std::str::FromStr>(body: &mut Fields, name: &str, why: &str) -> Result<Option<T>> {
    let Some(text) = body.take::<String>(name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| body.wrong(name, why))
}

// === views ===

impl From<Run> for TaskStarted {
    fn from(run: Run) -> Self {
        Self { id: run.id, description: run.description, status: run.status.as_str(), created_at: run.created_at }
    }
}

impl From<Run> for TaskStatus {
    fn from(run: Run) -> Self {
        Self { id: run.id, status: run.status.as_str() }
    }
}

impl From<Run> for TaskSummary {
    fn from(run: Run) -> Self {
        Self {
            id: run.id,
            description: run.description,
            status: run.status.as_str(),
            created_at: run.created_at,
            completed_at: run.completed_at,
            iterations: run.progress.iterations,
        }
    }
}

impl From<Run> for TaskView {
    fn from(run: Run) -> Self {
        let Run { progress, result, .. } = run;
        Self {
            id: run.id,
            description: run.description,
            status: run.status.as_str(),
            created_at: run.created_at,
            completed_at: run.completed_at,
            iterations: progress.iterations,
            plan: progress.plan.into(),
            result: result.map(|result| ResultView {
                success: result.success,
                summary: result.summary,
                code: result.code,
            }),
            session_id: run.session,
            model: run.model,
            tool_calls: progress.tool_calls,
            usage: UsageView {
                input_tokens: progress.usage.input,
                output_tokens: progress.usage.output,
                cost_usd: progress.usage.cost,
            },
            approval: progress.question.filter(|asked| asked.answer.is_none()).map(Into::into),
        }
    }
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        let step = |step: crate::model::run::PlanStep| StepView {
            id: step.id,
            description: step.description,
            status: step.status,
        };
        Self { steps: plan.steps.into_iter().map(step).collect() }
    }
}

impl From<Question> for ApprovalView {
    fn from(asked: Question) -> Self {
        Self { id: asked.id, tool: asked.tool, input: asked.input, reason: asked.reason, created_at: asked.asked_at }
    }
}

impl From<Artifact> for ArtifactView {
    fn from(artifact: Artifact) -> Self {
        Self {
            id: artifact.id,
            name: artifact.name,
            r#type: artifact.kind,
            size: artifact.size,
            created_at: artifact.created_at,
        }
    }
}
