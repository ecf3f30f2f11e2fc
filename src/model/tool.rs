//! Tools: what they say of themselves, and what comes of a call. Mirrors `wit/tool.wit`.

use super::chat::{Json, ResultPart};

/// Hints for whoever decides whether a call needs a person's consent; they grant nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of MCP, where they are explained")]
pub struct Annotations {
    pub read_only: bool,
    pub destructive: bool,
    pub idempotent: bool,
    pub open_world: bool,
}

/// What a tool says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// What models call it by.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For models.
    pub description: String,
    /// `file_operations`, `search`, `git` and the like.
    pub category: String,
    /// JSON Schema of the arguments; every call is checked against it.
    pub input_schema: Json,
    /// JSON Schema of `Output::structured`.
    pub output_schema: Option<Json>,
    /// See there.
    pub annotations: Annotations,
}

/// What came of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// For the model.
    pub parts: Vec<ResultPart>,
    /// For programs.
    pub structured: Option<Json>,
}

/// Why a call came to nothing; the model reads it and may do better.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// See there.
    pub kind: FailureKind,
    /// What is wrong, and what to do.
    pub message: String,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names explain themselves")]
pub enum FailureKind {
    InvalidArguments,
    NotFound,
    Denied,
    Unavailable,
    Failed,
}

/// How far a call has come, in the tool's own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Names the call.
    pub call: String,
    /// The tool.
    pub tool: String,
    /// From 0 to 1, where the tool knows.
    pub fraction: Option<f32>,
    /// For people.
    pub message: String,
}

// === impl Failure ===

impl Failure {
    /// A failure of `kind`, in words for the model.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl FailureKind {
    /// As programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidArguments => "invalid_arguments",
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }
}
