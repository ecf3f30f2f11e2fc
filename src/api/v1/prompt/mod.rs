//! The prompt surface: one prompt, many side by side, chains, comparisons.
//!
//! A backend that fails is no refusal: the answer is 200 and says what happened, because who asks several wants to know of each.
//! Refused is what can't be understood, and who may not ask, or not any more.

mod beside;
mod examples;
mod fields;
pub(super) mod request;
mod stream;
mod wire;

use tokio::time::Instant;

use self::request::{ChainRequest, CompareRequest, ParallelRequest, PromptRequest};
use self::wire::{
    Aggregate, Backend, BackendList, ChainResult, CompareResult, Envelope, ParallelResult, PromptResult, StepResult,
    milliseconds,
};
use super::PROMPT;
use crate::api::State;
use crate::http::endpoint::answer;
use crate::http::{Endpoint, Reply, Request};
use crate::model::{Error, Fault, Kind, Result};
use crate::service::conversation::Talk;
use crate::service::prompt::{Order, Outcome, Prompt};

pub(super) fn endpoints() -> Vec<Endpoint<State>> {
    let surface = &PROMPT;
    vec![
        Endpoint::post(surface, "/api/v1/prompt", |request| answer(prompt(request)))
            .named("prompt", "Sends one prompt to a backend.")
            .described(
                "A backend that fails is told with status 200, `success: false` and `exit_code: 1`. With \
                 `output_format: stream-json` the answer comes as lines of JSON: `init`, then `message`, `thinking` and \
                 `tool_use` as they come, then `done`; a failure is an `error` before it. `progress` fills a silence.",
            )
            .takes::<PromptRequest>("The prompt, and who is to answer it.", examples::prompt)
            .gives::<Envelope<PromptResult>>("What came of it.", examples::prompt_reply)
            .gives_lines::<stream::Line<'_>>("The answer, line by line.", examples::line)
            .fails(&[404, 409]),
        Endpoint::post(surface, "/api/v1/parallel", |request| answer(parallel(request)))
            .named("promptInParallel", "Sends prompts side by side.")
            .described("With `fail_fast`, one that fails cancels the others, also at their vendors.")
            .takes::<ParallelRequest>("The prompts, and who is to answer each.", examples::parallel)
            .gives::<Envelope<ParallelResult>>("What came of each, in their order.", examples::parallel_reply),
        Endpoint::post(surface, "/api/v1/chain", |request| answer(chain(request)))
            .named("promptInChain", "Sends prompts one after the other.")
            .described("In a prompt, every `{{previous}}` stands for the output of the step before.")
            .takes::<ChainRequest>("The steps.", examples::chain)
            .gives::<Envelope<ChainResult>>("What came of each.", examples::chain_reply),
        Endpoint::post(surface, "/api/v1/compare", |request| answer(compare(request)))
            .named("comparePrompt", "Sends one prompt to several backends.")
            .takes::<CompareRequest>("The prompt, and who is to answer it.", examples::compare)
            .gives::<Envelope<CompareResult>>("What each said, how long it took and what it cost.", examples::compare_reply),
        Endpoint::get(surface, "/api/v1/backends", |request| answer(backends(request)))
            .named("listBackends", "Who can be asked.")
            .gives::<Envelope<BackendList>>("Providers and routes.", examples::backends_reply),
    ]
}

async fn prompt(request: Request<State>) -> Result<Reply> {
    let (id, caller) = (request.id.clone(), request.caller.clone());
    let (state, body) = request.fields()?;
    let asked = PromptRequest::read(body)?;
    let (streams, verbose) = (asked.streams(), asked.is_verbose());
    let keep = asked.keep();
    let mut prompt = asked.into_prompt();
    let mut talk = match keep {
        Some(keep) => Some(state.prompts.open(&mut prompt, keep, &caller).await?),
        None => None,
    };
    if streams {
        return stream::reply(state, id, prompt, talk, caller).await;
    }
    let outcome = state.prompts.ask(&state.chat, &prompt, talk.as_mut(), &caller).await;
    let session_id = over(talk, outcome.error()).await?;
    if let Some(error) = outcome.error() {
        if is_refusal(error) {
            return Err(error.clone());
        }
        log(&prompt.backend, error);
    }
    let (done, result) = (outcome.is_done(), PromptResult { session_id, ..PromptResult::of(outcome, verbose) });
    let (error, error_code) = (result.error.clone(), result.error_code);
    Reply::json(&Envelope { success: done, error, error_code, data: result })
}

/// What was said is kept, and in what.
async fn over(talk: Option<Talk>, error: Option<&Error>) -> Result<Option<String>> {
    let Some(talk) = talk else { return Ok(None) };
    match error {
        Some(error) => {
            talk.fail(error).await;
            Ok(None)
        }
        None => {
            let id = talk.id().to_owned();
            talk.finish().await.map(|()| Some(id))
        }
    }
}

async fn parallel(request: Request<State>) -> Result<Reply> {
    let began = Instant::now();
    let caller = request.caller.clone();
    let (state, body) = request.fields()?;
    let asked = ParallelRequest::read(body, state.prompts.most)?;
    let verbose: Vec<bool> = asked.tasks.iter().map(PromptRequest::is_verbose).collect();
    let prompt = |task: PromptRequest| {
        let prompt = task.into_prompt();
        Prompt { dry_run: asked.dry_run || prompt.dry_run, ..prompt }
    };
    let at_once = asked.max_parallel.map_or(state.prompts.at_once, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let prompts: Vec<Prompt> = asked.tasks.into_iter().map(prompt).collect();
    let order = Order { at_once, fail_fast: asked.fail_fast };
    let outcomes = state.prompts.ask_all(&state.chat, &prompts, order, &caller).await;
    outcomes.iter().for_each(told);
    let completed = outcomes.iter().filter(|outcome| outcome.is_done()).count();
    let failed = outcomes.iter().filter(|outcome| outcome.error().is_some()).count();
    let results: Vec<PromptResult> =
        outcomes.into_iter().zip(verbose).map(|(outcome, verbose)| PromptResult::of(outcome, verbose)).collect();
    let all = results.len();
    let data = ParallelResult {
        total_tasks: all,
        completed,
        failed,
        total_duration_ms: milliseconds(began.elapsed()),
        aggregate: asked.aggregate.then(|| Aggregate::of(&results)),
        results,
    };
    Reply::json(&Envelope::of_several(data, "tasks", all, all - completed))
}

async fn chain(request: Request<State>) -> Result<Reply> {
    let began = Instant::now();
    let caller = request.caller.clone();
    let (state, body) = request.fields()?;
    let asked = ChainRequest::read(body, state.prompts.most)?;
    let (mut steps, mut told_of): (Vec<Prompt>, Vec<(Option<String>, bool)>) = (Vec::new(), Vec::new());
    for step in asked.steps {
        let verbose = step.prompt.is_verbose();
        let mut prompt = step.prompt.into_prompt();
        prompt.dry_run |= asked.dry_run;
        if asked.pass_working_dir && prompt.workdir.is_none() {
            prompt.workdir = steps.last().and_then(|before| before.workdir.clone());
        }
        steps.push(prompt);
        told_of.push((step.name, verbose));
    }
    let all = steps.len();
    let outcomes = state.prompts.chain(&state.chat, steps, asked.stop_on_failure, &caller).await;
    outcomes.iter().for_each(told);
    let completed_steps = outcomes.iter().filter(|outcome| outcome.is_done()).count();
    let failed_step = outcomes.iter().rposition(|outcome| !outcome.is_done()).map(|index| index + 1);
    let results = outcomes.into_iter().zip(told_of).enumerate().map(|(index, (outcome, (name, verbose)))| StepResult {
        step: index + 1,
        name,
        result: PromptResult::of(outcome, verbose),
    });
    let data = ChainResult {
        total_steps: all,
        completed_steps,
        failed_step,
        results: results.collect(),
        total_duration_ms: milliseconds(began.elapsed()),
    };
    Reply::json(&Envelope::of_several(data, "steps", all, all - completed_steps))
}

async fn compare(request: Request<State>) -> Result<Reply> {
    let began = Instant::now();
    let caller = request.caller.clone();
    let (state, body) = request.fields()?;
    let asked = CompareRequest::read(body, state.prompts.most)?;
    let prompts = asked.prompts();
    // All at once, or their times could not be compared.
    let at_once = if asked.sequential { 1 } else { prompts.len() };
    let outcomes = state.prompts.ask_all(&state.chat, &prompts, Order { at_once, fail_fast: false }, &caller).await;
    outcomes.iter().for_each(told);
    let (all, completed) = (outcomes.len(), outcomes.iter().filter(|outcome| outcome.is_done()).count());
    let data = CompareResult {
        prompt: asked.prompt,
        backends: asked.backends,
        total_duration_ms: milliseconds(began.elapsed()),
        results: outcomes.into_iter().map(|outcome| PromptResult::of(outcome, false)).collect(),
    };
    Reply::json(&Envelope::of_several(data, "backends", all, all - completed))
}

async fn backends(request: Request<State>) -> Result<Reply> {
    let providers = &request.state.providers;
    let all = providers.all();
    let mut backends: Vec<Backend> = all
        .values()
        .filter(|provider| provider.configured || provider.state.is_ok())
        .map(|provider| Backend {
            name: provider.name.clone(),
            available: provider.state.is_ok(),
            kind: "provider",
            default_model: provider.state.as_ref().ok().and_then(|vendor| vendor.default_model()),
            error: provider.state.as_ref().err().map(|error| error.public().to_owned()),
        })
        .collect();
    backends.extend(providers.routes().keys().map(|name| {
        let fault = request.state.chat.fault_of(name);
        Backend {
            name: name.clone(),
            available: fault.is_none(),
            kind: "route",
            default_model: None,
            error: fault.map(|error| error.public().to_owned()),
        }
    }));
    Reply::json(&Envelope::done(BackendList { backends }))
}

/// Whether it isn't the backend that failed: the caller may not ask, or the server is broken.
fn is_refusal(error: &Error) -> bool {
    match error.fault() {
        Fault::Caller => matches!(error.kind(), Kind::RateLimited | Kind::Unauthenticated) || is_forbidden(error),
        Fault::Us => matches!(error.kind(), Kind::Internal | Kind::Storage | Kind::RateLimited),
        Fault::Upstream | Fault::Plugin => false,
    }
}

/// A directory that may not be named is the prompt's failure.
fn is_forbidden(error: &Error) -> bool {
    error.kind() == Kind::Forbidden && error.param() != Some("workdir")
}

fn told(outcome: &Outcome) {
    if let Some(error) = outcome.error() {
        log(&outcome.backend, error);
    }
}

/// The answer is no error, so nobody else will.
fn log(backend: &str, error: &Error) {
    tracing::warn!(backend, error = error.to_string(), "a backend failed to answer a prompt");
}
