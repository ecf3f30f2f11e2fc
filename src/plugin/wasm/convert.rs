//! The model's words to the contract's and back: name by name, nothing lost.

use super::bindings::{chat as wc, http as wh, provider as wp};
use crate::model::chat as mc;
use crate::model::provider as mp;

// === to the guest ===

pub(super) fn operation(operation: mp::Operation) -> wp::Operation {
    match operation {
        mp::Operation::Chat(request) => wp::Operation::Chat(chat_request(request)),
        mp::Operation::CountTokens(request) => wp::Operation::CountTokens(chat_request(request)),
        mp::Operation::Embed(request) => wp::Operation::Embed(wp::EmbedRequest {
            model: request.model,
            inputs: request.inputs,
            dimensions: request.dimensions,
            user: request.user,
            extra: fields(request.extra),
        }),
        mp::Operation::ListModels => wp::Operation::ListModels,
    }
}

pub(super) fn input(input: mp::Input) -> wp::Input {
    match input {
        mp::Input::Begin => wp::Input::Begin,
        mp::Input::Head(head) => wp::Input::Head(wh::Head {
            status: head.status,
            headers: head.headers.into_iter().map(|(name, value)| wh::Header { name, value }).collect(),
        }),
        mp::Input::Frames(frames) => wp::Input::Frames(
            frames.into_iter().map(|frame| wh::Frame { event: frame.event, data: frame.data }).collect(),
        ),
        mp::Input::End => wp::Input::End,
        mp::Input::Broken(how) => wp::Input::Broken(how),
        mp::Input::Woken => wp::Input::Woken,
    }
}

fn fields(fields: Vec<mc::Field>) -> Vec<wc::Field> {
    fields.into_iter().map(|field| wc::Field { name: field.name, value: field.value }).collect()
}

fn chat_request(request: mc::Request) -> wc::Request {
    wc::Request {
        model: request.model,
        messages: request.messages.into_iter().map(message).collect(),
        tools: request
            .tools
            .into_iter()
            .map(|tool| wc::Tool {
                name: tool.name,
                description: tool.description,
                parameters: tool.parameters,
                extra: fields(tool.extra),
            })
            .collect(),
        native_tools: request.native_tools,
        tool_choice: request.tool_choice.map(|choice| match choice {
            mc::ToolChoice::Auto => wc::ToolChoice::Auto,
            mc::ToolChoice::Never => wc::ToolChoice::Never,
            mc::ToolChoice::Required => wc::ToolChoice::Required,
            mc::ToolChoice::Named(name) => wc::ToolChoice::Named(name),
        }),
        parallel_tool_calls: request.parallel_tool_calls,
        max_tokens: request.max_tokens,
        max_output: request.max_output,
        temperature: request.temperature,
        top_p: request.top_p,
        top_k: request.top_k,
        frequency_penalty: request.frequency_penalty,
        presence_penalty: request.presence_penalty,
        stop: request.stop,
        seed: request.seed,
        response_format: request.response_format.map(|format| match format {
            mc::ResponseFormat::Text => wc::ResponseFormat::Text,
            mc::ResponseFormat::JsonObject => wc::ResponseFormat::JsonObject,
            mc::ResponseFormat::JsonSchema { name, description, schema, strict } => {
                wc::ResponseFormat::JsonSchema(wc::JsonSchema { name, description, schema, strict })
            }
        }),
        reasoning: request.reasoning.map(|reasoning| match reasoning {
            mc::Reasoning::Effort(word) => wc::Reasoning::Effort(word),
            mc::Reasoning::Budget(tokens) => wc::Reasoning::Budget(tokens),
        }),
        user: request.user,
        dialect: request.dialect,
        extra: fields(request.extra),
        raw: request.raw.and_then(|raw| String::from_utf8(raw.into()).ok()),
        streaming: request.streaming,
    }
}

fn message(message: mc::Message) -> wc::Message {
    wc::Message {
        role: match message.role {
            mc::Role::System => wc::Role::System,
            mc::Role::Developer => wc::Role::Developer,
            mc::Role::User => wc::Role::User,
            mc::Role::Assistant => wc::Role::Assistant,
            mc::Role::Tool => wc::Role::Tool,
        },
        name: message.name,
        parts: message.parts.into_iter().map(part).collect(),
        extra: fields(message.extra),
    }
}

fn part(part: mc::Part) -> wc::Part {
    match part {
        mc::Part::Text(text) => wc::Part::Text(text),
        mc::Part::Media(medium) => wc::Part::Media(media(medium)),
        mc::Part::Thinking(thinking) => wc::Part::Thinking(wc::Thinking {
            text: thinking.text,
            signature: thinking.signature,
            redacted: thinking.redacted,
        }),
        mc::Part::Call(call) => wc::Part::Call(wc::ToolCall {
            id: call.id,
            name: call.name,
            arguments: call.arguments,
            extra: fields(call.extra),
        }),
        mc::Part::Outcome(outcome) => wc::Part::Outcome(wc::ToolResult {
            call_id: outcome.call_id,
            parts: outcome
                .parts
                .into_iter()
                .map(|part| match part {
                    mc::ResultPart::Text(text) => wc::ResultPart::Text(text),
                    mc::ResultPart::Media(medium) => wc::ResultPart::Media(media(medium)),
                })
                .collect(),
            failed: outcome.failed,
        }),
        mc::Part::Refusal(text) => wc::Part::Refusal(text),
        mc::Part::CachePoint(point) => wc::Part::CachePoint(wc::CachePoint { ttl: point.ttl }),
        mc::Part::Other(json) => wc::Part::Other(json),
    }
}

fn media(media: mc::Media) -> wc::Media {
    wc::Media {
        mime: media.mime,
        source: match media.source {
            mc::MediaSource::Url(url) => wc::MediaSource::Url(url),
            mc::MediaSource::Base64(data) => wc::MediaSource::Base64(data),
            mc::MediaSource::File(id) => wc::MediaSource::File(id),
        },
        name: media.name,
        detail: media.detail,
    }
}

// === from the guest ===

pub(super) fn info(info: wp::Info) -> mp::Info {
    mp::Info {
        name: info.name,
        base_url: info.base_url,
        credential: match info.credential {
            wp::Credential::None => mp::Credential::None,
            wp::Credential::Bearer => mp::Credential::Bearer,
            wp::Credential::Header(name) => mp::Credential::Header(name),
            wp::Credential::Query(name) => mp::Credential::Query(name),
            wp::Credential::Sigv4(scope) => mp::Credential::SigV4 { service: scope.service, region: scope.region },
        },
        key_variable: info.key_variable,
        dialects: info.dialects,
        streaming: info.streaming,
        tools: info.tools,
        vision: info.vision,
        models: info.models.into_iter().map(model).collect(),
    }
}

fn model(model: wp::Model) -> mp::Model {
    mp::Model {
        id: model.id,
        name: model.name,
        created: model.created,
        owner: model.owner,
        context_window: model.context_window,
        max_output: model.max_output,
        vision: model.vision,
        tools: model.tools,
        reasoning: model.reasoning,
        price: model.price.map(|price| mp::Price {
            input: price.input,
            output: price.output,
            cache_read: price.cache_read,
            cache_write: price.cache_write,
            cache_write_hour: None,
            long: None,
        }),
    }
}

pub(super) fn failure(error: wp::Error) -> mp::Failure {
    use mp::FailureKind as Kind;
    mp::Failure {
        kind: match error.kind {
            wp::ErrorKind::InvalidRequest => Kind::InvalidRequest,
            wp::ErrorKind::Unauthenticated => Kind::Unauthenticated,
            wp::ErrorKind::Forbidden => Kind::Forbidden,
            wp::ErrorKind::UnknownModel => Kind::UnknownModel,
            wp::ErrorKind::TooLarge => Kind::TooLarge,
            wp::ErrorKind::RateLimited => Kind::RateLimited,
            wp::ErrorKind::Overloaded => Kind::Overloaded,
            wp::ErrorKind::ContextTooLong => Kind::ContextTooLong,
            wp::ErrorKind::Refused => Kind::Refused,
            wp::ErrorKind::Unsupported => Kind::Unsupported,
            wp::ErrorKind::Upstream => Kind::Upstream,
        },
        message: error.message,
        retry_after_ms: error.retry_after_ms,
        raw: error.raw,
    }
}

pub(super) fn action(action: wp::Action) -> mp::Action {
    match action {
        wp::Action::Send(request) => mp::Action::Send(mp::HttpRequest {
            method: request.method,
            path: request.path,
            headers: request.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            body: request.body,
            framing: match request.framing {
                wh::Framing::Whole => mp::Framing::Whole,
                wh::Framing::Sse => mp::Framing::Sse,
                wh::Framing::Ndjson => mp::Framing::Ndjson,
                wh::Framing::Bytes => mp::Framing::Bytes,
                wh::Framing::EventStream => mp::Framing::EventStream,
            },
        }),
        wp::Action::Emit(outputs) => mp::Action::Emit(outputs.into_iter().map(output).collect()),
        wp::Action::Wait(millis) => mp::Action::Wait(millis),
        wp::Action::Fail(error) => mp::Action::Fail(failure(error)),
        wp::Action::Finish => mp::Action::Finish,
    }
}

fn output(output: wp::Output) -> mp::Output {
    match output {
        wp::Output::Chat(said) => mp::Output::Chat(event(said)),
        wp::Output::Models(models) => mp::Output::Models(models.into_iter().map(model).collect()),
        wp::Output::Vector(vector) => mp::Output::Vector { index: vector.index, values: vector.values },
        wp::Output::Tokens(count) => mp::Output::Tokens(count),
        wp::Output::Usage(counted) => mp::Output::Usage(usage(counted)),
    }
}

fn usage(usage: wc::Usage) -> mc::Usage {
    mc::Usage {
        input: usage.input,
        output: usage.output,
        cache_read: usage.cache_read,
        cache_write: usage.cache_write,
        cache_write_hour: usage.cache_write_hour,
        reasoning: usage.reasoning,
        cost: usage.cost,
    }
}

fn field(field: wc::Field) -> mc::Field {
    mc::Field { name: field.name, value: field.value }
}

fn event(event: wc::Event) -> mc::Event {
    match event {
        wc::Event::Started(started) => mc::Event::Started { id: started.id, model: started.model },
        wc::Event::Text(delta) => mc::Event::Text { block: delta.block, text: delta.text },
        wc::Event::Thinking(delta) => mc::Event::Thinking { block: delta.block, text: delta.text },
        wc::Event::Signature(delta) => mc::Event::Signature { block: delta.block, text: delta.text },
        wc::Event::Redacted(delta) => mc::Event::Redacted { block: delta.block, text: delta.text },
        wc::Event::CallStarted(call) => mc::Event::CallStarted {
            block: call.block,
            id: call.id,
            name: call.name,
            extra: call.extra.into_iter().map(field).collect(),
        },
        wc::Event::CallArguments(delta) => mc::Event::CallArguments { block: delta.block, text: delta.text },
        wc::Event::Refusal(delta) => mc::Event::Refusal { block: delta.block, text: delta.text },
        wc::Event::Usage(counted) => mc::Event::Usage(usage(counted)),
        wc::Event::Annotation(delta) => mc::Event::Annotation { block: delta.block, text: delta.text },
        wc::Event::Other(delta) => mc::Event::Other { block: delta.block, text: delta.text },
        wc::Event::Extra(said) => mc::Event::Extra(field(said)),
        wc::Event::Stopped(stop) => mc::Event::Stopped(mc::Stop {
            reason: match stop.reason {
                wc::StopReason::Complete => mc::StopReason::Complete,
                wc::StopReason::StopSequence => mc::StopReason::StopSequence,
                wc::StopReason::Length => mc::StopReason::Length,
                wc::StopReason::ToolCalls => mc::StopReason::ToolCalls,
                wc::StopReason::Refusal => mc::StopReason::Refusal,
                wc::StopReason::Pause => mc::StopReason::Pause,
            },
            sequence: stop.sequence,
        }),
    }
}
