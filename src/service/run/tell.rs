//! How a run's steps and its end are told.

use super::Stop;
use super::calls::{ASK, Done, Planned};
use super::step::{Ending, Limit};
use crate::http::fault::Fault;
use crate::model::Error;
use crate::model::chat::StopReason;
use crate::model::run::{Body, Outcome, Status};
use crate::model::tool::{Annotations, Progress, Spec};

/// Why it ends.
pub(super) enum End {
    Over(Ending),
    Failed(Error),
    Stopped(Stop),
}

/// The tool by which a model asks whoever watches.
pub(super) fn question_tool() -> Spec {
    Spec {
        name: ASK.into(),
        title: None,
        description:
            "Asks the person who gave you the task, and waits for the answer. Use it only where you can't find out \
                      yourself and a wrong guess would do harm."
                .into(),
        category: "interaction".into(),
        input_schema: r#"{"type":"object","properties":{"question":{"type":"string"}},"required":["question"]}"#.into(),
        output_schema: None,
        annotations: Annotations { read_only: true, ..Annotations::default() },
    }
}

pub(super) fn tool_call(planned: &Planned) -> Body {
    Body::ToolCall { call_id: planned.call.id.clone(), tool: planned.call.name.clone(), input: planned.input.clone() }
}

pub(super) fn tool_progress(report: Progress) -> Body {
    let Progress { call, tool, fraction, message } = report;
    Body::ToolProgress { call_id: call, tool, fraction, message }
}

pub(super) fn tool_result(done: &Done) -> Body {
    Body::ToolResult {
        call_id: done.planned.call.id.clone(),
        tool: done.planned.call.name.clone(),
        output: done.words(),
        success: done.success,
        duration_ms: done.took_ms,
    }
}

/// How a run is that ends so, what is said of it, and what came of it.
pub(super) fn verdict(end: &End, said: &str) -> (Status, String, Outcome) {
    let failed = |code: &str, why: String| {
        (Status::Failed, why.clone(), Outcome { success: false, summary: why, code: Some(code.into()) })
    };
    match end {
        End::Over(Ending::Done(StopReason::Length)) => {
            failed("OUTPUT_LIMIT_REACHED", "the model's answer was cut at its longest".into())
        }
        End::Over(Ending::Done(StopReason::Refusal)) => {
            let why = if said.is_empty() { "the model refused the task" } else { said };
            failed("REFUSED", why.into())
        }
        End::Over(Ending::Done(_) | Ending::Foreign) => {
            let outcome = Outcome { success: true, summary: said.to_owned(), code: None };
            (Status::Completed, "Task completed successfully".into(), outcome)
        }
        End::Over(Ending::Limit(limit)) => match limit {
            Limit::Iterations => failed("MAX_ITERATIONS_REACHED", "Maximum iterations reached".into()),
            Limit::Time => failed("TIME_LIMIT_REACHED", "Time limit reached".into()),
            Limit::Tokens => failed("TOKEN_LIMIT_REACHED", "Token limit reached".into()),
            Limit::Cost => failed("COST_LIMIT_REACHED", "Cost limit reached".into()),
        },
        End::Failed(error) => failed(Fault::of(error).code, error.public().to_owned()),
        End::Stopped(_) => {
            let summary = "stopped before it was done".to_owned();
            (Status::Stopped, "Task stopped".into(), Outcome { success: false, summary, code: None })
        }
    }
}
