//! The model's words for tools to the contract's and back, and what a tool may say of itself.

use crate::model::chat as mc;
use crate::model::tool::{Annotations, Failure, FailureKind, Output, Spec};
use crate::model::{Error, Fault, Kind, Result};
use crate::plugin::ToolCall;
use crate::plugin::wasm::bindings::chat as wc;
use crate::plugin::wasm::bindings::tools::tool as wt;

/// Tools of one plugin.
const MOST_TOOLS: usize = 100;
/// A name that every vendor's models can call.
const LONGEST_NAME: usize = 64;
/// What a tool says of itself is handed to a model with every request.
const LONGEST_DESCRIPTION: usize = 8 << 10;
/// See [`LONGEST_DESCRIPTION`].
const LONGEST_SCHEMA: usize = 64 << 10;

pub(super) fn context(call: &ToolCall) -> wt::Context {
    wt::Context { session: call.session.clone(), run: call.run.clone(), call: call.call.clone() }
}

/// What the plugin `id` says of its tools.
///
/// # Errors
/// Names the first tool that can't be published, and why.
pub(super) fn specs(id: &str, specs: Vec<wt::Spec>) -> Result<Vec<Spec>> {
    let refused = |what: String| Error::new(Kind::Plugin, Fault::Plugin, format!("plugin `{id}`: {what}"));
    if specs.len() > MOST_TOOLS {
        return Err(refused(format!("it brings {} tools; {MOST_TOOLS} are the most", specs.len())));
    }
    let mut found: Vec<Spec> = Vec::with_capacity(specs.len());
    for wt::Spec { name, title, description, category, input_schema, output_schema, annotations } in specs {
        let wrong = |what: &str| refused(format!("its tool `{}` {what}", name.escape_debug()));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
            return Err(wrong("must have a name of up to 64 letters, digits, hyphens and underscores"));
        }
        if found.iter().any(|known| known.name == name) {
            return Err(wrong("is there twice"));
        }
        if description.trim().is_empty() || description.len() > LONGEST_DESCRIPTION {
            return Err(wrong("must say what it does, in 8 KiB at most"));
        }
        if input_schema.len() > LONGEST_SCHEMA || output_schema.as_ref().is_some_and(|s| s.len() > LONGEST_SCHEMA) {
            return Err(wrong("has a schema of more than 64 KiB"));
        }
        check_schema(&input_schema).map_err(|why| wrong(&format!("has no usable schema: {why}")))?;
        found.push(Spec {
            title,
            description,
            category,
            input_schema,
            output_schema,
            annotations: Annotations {
                read_only: annotations.read_only,
                destructive: annotations.destructive,
                idempotent: annotations.idempotent,
                open_world: annotations.open_world,
            },
            name,
        });
    }
    Ok(found)
}

/// A schema must be one of an object, and can ask nobody for its parts.
fn check_schema(text: &str) -> std::result::Result<(), String> {
    let schema: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if schema.get("type").and_then(serde_json::Value::as_str) != Some("object") {
        return Err("its type must be object".to_owned());
    }
    jsonschema::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(&schema)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// What a tool answered.
///
/// # Errors
/// If it is more than `most` bytes.
pub(super) fn output(output: wt::Output, most: usize) -> std::result::Result<Output, Failure> {
    let weight = |part: &wc::ResultPart| match part {
        wc::ResultPart::Text(text) => text.len(),
        wc::ResultPart::Media(media) => match &media.source {
            wc::MediaSource::Url(text) | wc::MediaSource::Base64(text) | wc::MediaSource::File(text) => text.len(),
        },
    };
    let bytes = output.parts.iter().map(weight).sum::<usize>() + output.structured.as_ref().map_or(0, String::len);
    if bytes > most {
        let what = format!("it answered {bytes} bytes; plugins.limits.output allows {most}: ask for less");
        return Err(Failure::new(FailureKind::Failed, what));
    }
    if let Some(text) = &output.structured
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text)
    {
        return Err(Failure::new(FailureKind::Failed, format!("its structured answer is no JSON: {error}")));
    }
    Ok(Output { parts: output.parts.into_iter().map(part).collect(), structured: output.structured })
}

pub(super) fn failure(error: wt::Error) -> Failure {
    let kind = match error.kind {
        wt::ErrorKind::InvalidArguments => FailureKind::InvalidArguments,
        wt::ErrorKind::NotFound => FailureKind::NotFound,
        wt::ErrorKind::Denied => FailureKind::Denied,
        wt::ErrorKind::Unavailable => FailureKind::Unavailable,
        wt::ErrorKind::Failed => FailureKind::Failed,
    };
    Failure { kind, message: error.message }
}

fn part(part: wc::ResultPart) -> mc::ResultPart {
    match part {
        wc::ResultPart::Text(text) => mc::ResultPart::Text(text),
        wc::ResultPart::Media(media) => mc::ResultPart::Media(mc::Media {
            mime: media.mime,
            source: match media.source {
                wc::MediaSource::Url(url) => mc::MediaSource::Url(url),
                wc::MediaSource::Base64(data) => mc::MediaSource::Base64(data),
                wc::MediaSource::File(name) => mc::MediaSource::File(name),
            },
            name: media.name,
            detail: media.detail,
        }),
    }
}
