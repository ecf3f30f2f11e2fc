//! The calls of one answer: which are made, in which order, and what came of each.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use serde_json::Value;
use tokio::time::Instant;

use super::hands::{HandCall, Hands, Place};
use crate::model::chat::{Message, Part, ResultPart, Role, ToolCall, ToolResult};
use crate::model::run::{Plan, PlanStep, Reply, Rules, Verdict};
use crate::model::tool::{Output, Spec};

/// Calls that may be made at once.
const AT_ONCE: usize = 8;
/// The tool by which the model tells its plan.
const PLAN: &str = "update_plan";
/// The tool by which the model asks a person.
pub(super) const ASK: &str = "ask_user";

/// A call that the model wants.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its place among the calls of the answer.
    pub index: u32,
    /// What the model wrote.
    pub call: ToolCall,
    /// What it gives the tool; text where it wrote no JSON.
    pub input: Value,
    spec: Option<Arc<Spec>>,
    /// What a person said of it.
    reply: Option<Reply>,
    /// Whether it was begun before the server ended.
    begun: bool,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub struct Done {
    /// The call.
    pub planned: Planned,
    /// Whether the tool was called at all.
    pub made: bool,
    /// What it said.
    pub parts: Vec<ResultPart>,
    /// Whether it did what it should.
    pub success: bool,
    /// How long it took.
    pub took_ms: u64,
    /// The plan, where the call told one.
    pub plan: Option<Plan>,
}

/// What to do about the next call.
pub(super) enum Next {
    /// These, at once.
    Make(Vec<Planned>),
    /// Nothing: this is what comes of it.
    Skip(Box<Done>),
    /// Ask a person, for this reason.
    Ask(Box<Planned>, String),
    /// There is none.
    Nothing,
}

/// Calls that are being made.
pub(super) type Making = FuturesOrdered<BoxFuture<'static, Done>>;

// === impl Planned ===

impl Planned {
    /// The calls of an answer, for the tools of `specs`.
    pub(super) fn of(answer: &Message, specs: &[Arc<Spec>]) -> VecDeque<Self> {
        let calls = answer.parts.iter().filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None });
        let plan = |(index, call): (u32, &ToolCall)| Self {
            index,
            input: serde_json::from_str(arguments(call)).unwrap_or_else(|_| Value::String(call.arguments.clone())),
            spec: specs.iter().find(|spec| spec.name == call.name).cloned(),
            call: call.clone(),
            reply: None,
            begun: false,
        };
        (0..).zip(calls).map(plan).collect()
    }

    /// It was begun before the server ended, and nobody knows what came of it.
    pub(super) fn was_begun(&mut self) {
        self.begun = true;
    }

    /// What a person said of it.
    pub(super) fn answer(&mut self, reply: Reply) {
        self.reply = Some(reply);
    }

    /// Whether it may be made beside others.
    fn reads_only(&self) -> bool {
        self.spec.as_ref().is_some_and(|spec| spec.annotations.read_only)
    }

    /// What comes of it without being made.
    fn skipped(self, words: impl Into<String>) -> Done {
        Done { planned: self, made: false, parts: text(words.into()), success: false, took_ms: 0, plan: None }
    }

    /// Ended by somebody before it could say anything.
    pub(super) fn cut(self, words: &str) -> Done {
        Done { made: true, ..self.skipped(words) }
    }

    /// What to do about it.
    fn decide(self, rules: &Rules, specs: &[Arc<Spec>]) -> Next {
        let skip = |planned: Self, words: String| Next::Skip(Box::new(planned.skipped(words)));
        if self.call.name == ASK && self.spec.is_some() {
            return match self.reply.clone() {
                None => {
                    let question = self.input.get("question").and_then(Value::as_str).unwrap_or_default().to_owned();
                    Next::Ask(Box::new(self), question)
                }
                Some(Reply { approved: true, words }) => {
                    let parts = text(words.unwrap_or_else(|| "yes".into()));
                    Next::Skip(Box::new(Done { success: true, parts, ..self.skipped("") }))
                }
                Some(Reply { words, .. }) => skip(self, refused(words.as_deref())),
            };
        }
        let Some(spec) = self.spec.clone() else {
            let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
            let words = match names.as_slice() {
                [] => format!("there is no tool `{}`, nor any other", self.call.name),
                names => format!("there is no tool `{}`; there are: {}", self.call.name, names.join(", ")),
            };
            return skip(self, words);
        };
        if !self.input.is_object() {
            let why = match serde_json::from_str::<Value>(arguments(&self.call)) {
                Ok(_) => "they are no JSON object".to_owned(),
                Err(error) => format!("they are no JSON: {error}"),
            };
            return skip(
                self,
                format!(
                    "the arguments of `{}` can't be read: {why}; call it again with one valid JSON object",
                    spec.name
                ),
            );
        }
        if self.begun && !spec.annotations.read_only && !spec.annotations.idempotent {
            let words = "the server ended during this call; whether it took effect is not known, and it was not repeated: find out before you go on";
            return Next::Skip(Box::new(self.cut(words)));
        }
        match (rules.judge(&spec, &self.input), self.reply.clone()) {
            (Verdict::Deny(why), _) => skip(self, format!("not permitted: {why}")),
            (Verdict::Allow, _) | (Verdict::Ask(_), Some(Reply { approved: true, .. })) => Next::Make(vec![self]),
            (Verdict::Ask(_), Some(Reply { words, .. })) => skip(self, refused(words.as_deref())),
            (Verdict::Ask(why), None) => Next::Ask(Box::new(self), why),
        }
    }

    /// Makes the call.
    fn make(self, hands: &Arc<dyn Hands>, place: &Place, most: usize) -> BoxFuture<'static, Done> {
        let call = HandCall {
            tool: self.call.name.clone(),
            arguments: arguments(&self.call).to_owned(),
            id: self.call.id.clone(),
            place: place.clone(),
        };
        let hands = hands.clone();
        Box::pin(async move {
            let began = Instant::now();
            let outcome = hands.call(call).await;
            let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            match outcome {
                Ok(output) => {
                    let plan = (self.call.name == PLAN).then(|| plan(&self.input, &output)).flatten();
                    let parts = cut_down(output.parts, most);
                    Done { planned: self, made: true, parts, success: true, took_ms, plan }
                }
                Err(failure) => Done { took_ms, parts: cut_down(text(failure.message), most), ..self.cut("") },
            }
        })
    }
}

// === impl Done ===

impl Done {
    /// As the model is told.
    pub fn message(&self) -> Message {
        let call_id = self.planned.call.id.clone();
        let result = ToolResult { call_id, parts: self.parts.clone(), failed: !self.success };
        Message { role: Role::Tool, name: None, parts: vec![Part::Outcome(result)], extra: Vec::new() }
    }

    /// As people are told.
    pub fn words(&self) -> String {
        let mut words = String::new();
        for part in &self.parts {
            match part {
                ResultPart::Text(text) => words.push_str(text),
                ResultPart::Media(media) => words.push_str(&format!("[{}]", media.mime)),
            }
        }
        words
    }
}

/// What to do next about `queue`. Calls that only read are made together, as many of them as come one after another.
pub(super) fn next(queue: &mut VecDeque<Planned>, rules: &Rules, specs: &[Arc<Spec>]) -> Next {
    let Some(first) = queue.pop_front() else { return Next::Nothing };
    let mut together = match first.decide(rules, specs) {
        Next::Make(one) => one,
        other => return other,
    };
    let reads = |planned: &Planned| planned.reads_only();
    while together.iter().all(reads) && together.len() < AT_ONCE && queue.front().is_some_and(reads) {
        let Some(planned) = queue.pop_front() else { break };
        match planned.clone().decide(rules, specs) {
            Next::Make(one) => together.extend(one),
            _ => {
                queue.push_front(planned);
                break;
            }
        }
    }
    Next::Make(together)
}

/// Makes calls.
pub(super) fn make(calls: Vec<Planned>, hands: &Arc<dyn Hands>, place: &Place, most: usize) -> Making {
    calls.into_iter().map(|planned| planned.make(hands, place, most)).collect()
}

/// Models that have nothing to say to a tool may say nothing.
fn arguments(call: &ToolCall) -> &str {
    if call.arguments.trim().is_empty() { "{}" } else { &call.arguments }
}

fn refused(words: Option<&str>) -> String {
    match words {
        Some(words) if !words.is_empty() => format!("a person refused: {words}"),
        _ => "a person refused this call; don't try it again, find another way or say why it is needed".into(),
    }
}

fn text(words: String) -> Vec<ResultPart> {
    vec![ResultPart::Text(words)]
}

/// `parts` with at most `most` bytes of text: the beginning and the end of what is longer.
fn cut_down(mut parts: Vec<ResultPart>, most: usize) -> Vec<ResultPart> {
    let mut left = most;
    for part in &mut parts {
        let ResultPart::Text(text) = part else { continue };
        if text.len() > left {
            *text = shortened(text, left);
        }
        left = left.saturating_sub(text.len());
    }
    parts
}

/// `text` in about `most` bytes.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(most / 3 * 2);
    let tail = text.ceil_char_boundary(text.len() - most / 3);
    let left_out = tail - head;
    let (head, tail) = (text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default());
    format!("{head}\n[… {left_out} bytes are left out here …]\n{tail}")
}

/// The plan that a call tells, as the tool understood it or, where it says nothing of it, as the model wrote it.
fn plan(input: &Value, output: &Output) -> Option<Plan> {
    let structured = output.structured.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let steps = |value: &Value| {
        let plan = value.get("plan").unwrap_or(value);
        let list = plan.as_array().or_else(|| plan.get("steps")?.as_array())?;
        let step = |(number, step): (usize, &Value)| {
            let word = |names: [&str; 3]| names.iter().find_map(|name| step.get(name)?.as_str()).map(str::to_owned);
            Some(PlanStep {
                id: word(["id", "step_id", "name"]).unwrap_or_else(|| format!("step-{number}")),
                description: step.as_str().map(str::to_owned).or_else(|| word(["description", "step", "content"]))?,
                status: word(["status", "state", ""]).unwrap_or_else(|| "pending".into()),
            })
        };
        Some((1..).zip(list).filter_map(step).collect::<Vec<_>>())
    };
    let steps = structured.as_ref().and_then(steps).or_else(|| steps(input))?;
    Some(Plan { steps })
}
