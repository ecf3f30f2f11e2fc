//! The tool `update_plan`.

use std::collections::BTreeSet;

use mortise_sdk::tool::{Call, Error, NoSettings, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const STEPS: usize = 100;
/// The longest description, in bytes.
const LONGEST: usize = 2000;
const LONGEST_ID: usize = 64;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// All steps, in order.
    #[serde(alias = "plan")]
    #[schemars(extend("x-aliases" = ["plan"]), length(max = 100))]
    steps: Vec<Given>,
    /// Why the plan is as it is, or why it changes.
    explanation: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// A name that stays the same when the plan changes; `step-1` and so on by default.
    id: Option<String>,
    /// What is to be done, in a few words.
    #[serde(alias = "step", alias = "content", alias = "title")]
    description: String,
    /// `pending` by default.
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[default]
    Pending,
    InProgress,
    Completed,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Step {
    id: String,
    description: String,
    status: Status,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let Arguments { steps, explanation } = arguments;
    if steps.is_empty() {
        return Err(Error::invalid("the plan has no step"));
    }
    if steps.len() > STEPS {
        return Err(Error::invalid(format!("the plan has {} steps, more than {STEPS}; join some", steps.len())));
    }
    let mut ids = BTreeSet::new();
    let mut plan = Vec::with_capacity(steps.len());
    for (number, step) in (1..).zip(steps) {
        let id = step.id.map_or_else(|| format!("step-{number}"), |id| id.trim().to_owned());
        let description = step.description.trim().to_owned();
        if id.is_empty() || id.len() > LONGEST_ID || id.chars().any(char::is_control) {
            return Err(Error::invalid(format!(
                "step {number}: an id has 1 to {LONGEST_ID} bytes, none of them control characters"
            )));
        }
        if description.is_empty() || description.len() > LONGEST {
            return Err(Error::invalid(format!("step {number}: a description has 1 to {LONGEST} bytes")));
        }
        if !ids.insert(id.clone()) {
            return Err(Error::invalid(format!("step {number}: there is another step `{id}`")));
        }
        plan.push(Step { id, description, status: step.status });
    }
    let done = plan.iter().filter(|step| step.status == Status::Completed).count();
    let mut text = format!("the plan has {} steps, {done} completed\n", plan.len());
    for step in &plan {
        let mark = match step.status {
            Status::Pending => ' ',
            Status::InProgress => '>',
            Status::Completed => 'x',
        };
        text.push_str(&format!("[{mark}] {}\n", step.description));
    }
    Ok(Reply::text(text).with(&Plan { steps: plan, explanation }))
}
