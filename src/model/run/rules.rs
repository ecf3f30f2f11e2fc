//! What a run may do: which tools it is given, and which calls need a person's consent.
//!
//! Pure, and read in this order: a call that `disallowed` names is denied, whatever else is said; so is one that `allowed` doesn't
//! name, if it names any; then the mode speaks, then the approval policy. Naming a tool in `allowed` is consent given beforehand,
//! where the policy is not `always`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::tool::Spec;

mod glob;
mod pattern;

pub use pattern::Pattern;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Rules {
    /// Calls that may be made; empty is all of them.
    pub allowed: Vec<Pattern>,
    /// Calls that may not.
    pub disallowed: Vec<Pattern>,
    /// How strict to be.
    pub mode: Mode,
    /// When a person is asked.
    pub approval: Approval,
}

/// How strict to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// As the approval policy says.
    #[default]
    Default,
    /// Files may be edited unasked; whatever else changes something needs consent.
    AcceptEdits,
    /// Nobody is asked.
    BypassPermissions,
    /// Everything needs consent.
    RequirePermissions,
    /// Nothing may be changed.
    Plan,
}

/// When a person is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Never.
    #[default]
    Never,
    /// Before calls that change something.
    OnWrite,
    /// Before every call.
    Always,
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is made.
    Allow,
    /// A person is asked, for this reason.
    Ask(String),
    /// It isn't made, for this reason.
    Deny(String),
}

/// The tool by which the model tells its plan; it changes nothing else.
const PLAN: &str = "update_plan";

// === impl Rules ===

impl Rules {
    /// What becomes of a call of the tool `spec` with `arguments`.
    pub fn judge(&self, spec: &Spec, arguments: &Value) -> Verdict {
        let name = spec.name.as_str();
        if let Some(pattern) = self.disallowed.iter().find(|pattern| pattern.forbids(name, arguments)) {
            return Verdict::Deny(format!("disallowed_tools names `{pattern}`"));
        }
        let named = self.allowed.iter().any(|pattern| pattern.permits(name, arguments));
        if !self.allowed.is_empty() && !named {
            return Verdict::Deny(format!("allowed_tools doesn't name this call of `{name}`"));
        }
        let reads = spec.annotations.read_only || name == PLAN;
        match self.mode {
            Mode::BypassPermissions => Verdict::Allow,
            Mode::Plan if reads => Verdict::Allow,
            Mode::Plan => Verdict::Deny(format!("in mode `plan` nothing is changed, which `{name}` might do")),
            _ if name == PLAN => Verdict::Allow,
            Mode::RequirePermissions => Verdict::Ask("permission_mode is requirePermissions".into()),
            Mode::AcceptEdits if edits(spec) && self.approval < Approval::Always => Verdict::Allow,
            mode => match self.approval.max(mode.least()) {
                Approval::Always => Verdict::Ask("every call needs approval".into()),
                Approval::OnWrite if !reads && !named => Verdict::Ask(format!("`{name}` may change something")),
                Approval::OnWrite | Approval::Never => Verdict::Allow,
            },
        }
    }

    /// Whether the model is told of a tool: whether there may be a call of it that isn't denied.
    pub fn offers(&self, spec: &Spec) -> bool {
        let name = spec.name.as_str();
        let forbidden = self.disallowed.iter().any(|pattern| pattern.forbids_all(name));
        let named = self.allowed.is_empty() || self.allowed.iter().any(|pattern| pattern.names(name));
        let reads = spec.annotations.read_only || name == PLAN;
        !forbidden && named && (reads || self.mode != Mode::Plan)
    }
}

// === impl Mode ===

impl Mode {
    /// The policy that it brings along.
    fn least(self) -> Approval {
        if self == Self::AcceptEdits { Approval::OnWrite } else { Approval::Never }
    }
}

impl std::str::FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "default" => Self::Default,
            "acceptEdits" => Self::AcceptEdits,
            "bypassPermissions" => Self::BypassPermissions,
            "requirePermissions" => Self::RequirePermissions,
            "plan" => Self::Plan,
            _ => return Err(()),
        })
    }
}

// === impl Approval ===

impl std::str::FromStr for Approval {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "never" => Self::Never,
            "on-write" => Self::OnWrite,
            "always" => Self::Always,
            _ => return Err(()),
        })
    }
}

/// Whether a tool changes files and nothing else.
fn edits(spec: &Spec) -> bool {
    spec.category == "file_operations" && !spec.annotations.open_world
}

#[cfg(test)]
mod tests;
