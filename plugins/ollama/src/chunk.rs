//! The API's JSON, borrowed from its line: a stream's line and a whole answer alike.

use std::borrow::Cow;

use mortise_sdk::fields::Fields;
use mortise_sdk::provider::Error;

/// What the model said in one line.
#[derive(Default)]
pub(crate) struct Message<'a> {
    pub(crate) thinking: Cow<'a, str>,
    pub(crate) content: Cow<'a, str>,
    pub(crate) calls: Vec<Call<'a>>,
}

/// A tool call, which always comes whole.
pub(crate) struct Call<'a> {
    /// Only newer versions give one.
    pub(crate) id: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    pub(crate) arguments: &'a str,
}

pub(crate) fn message<'a>(line: &mut Fields<'a>) -> Result<Message<'a>, Error> {
    let mut message = line.take::<Fields<'a>>("message")?.unwrap_or_default();
    let calls = message.take::<Vec<Fields<'a>>>("tool_calls")?.unwrap_or_default();
    Ok(Message {
        thinking: message.take_text("thinking")?.unwrap_or_default(),
        content: message.take_text("content")?.unwrap_or_default(),
        calls: calls.into_iter().map(call).collect::<Result<_, _>>()?,
    })
}

fn call(mut call: Fields<'_>) -> Result<Call<'_>, Error> {
    let mut function = call.take::<Fields<'_>>("function")?.unwrap_or_default();
    let name = function.take_text("name")?.filter(|name| !name.is_empty());
    Ok(Call {
        id: call.take_text("id")?.unwrap_or_default(),
        name: name.ok_or_else(|| Error::upstream("the vendor sent a tool call without a name"))?,
        arguments: function.take_raw("arguments").unwrap_or("{}"),
    })
}
