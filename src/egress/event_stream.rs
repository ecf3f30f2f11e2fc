//! AWS's event stream: messages of headers and a payload, each with its length and its checksums.

use aws_smithy_eventstream::frame::read_message_from;

use super::frames::Fault;
use crate::model::provider::Frame;

/// Bytes that tell a message's length and come first.
const PRELUDE: usize = 12;

/// Takes whole messages from the beginning of `rest`.
pub(super) fn take(rest: &mut Vec<u8>, longest: usize, frames: &mut Vec<Frame>) -> Result<(), Fault> {
    let mut taken = 0;
    while let Some(message) = rest.get(taken..) {
        let Some(length) = message.first_chunk::<4>().filter(|_| message.len() >= PRELUDE) else { break };
        let length = u32::from_be_bytes(*length) as usize;
        if length > longest {
            return Err(Fault::TooLong);
        }
        let Some(message) = message.get(..length.max(PRELUDE)) else { break };
        frames.push(read(message)?);
        taken += message.len();
    }
    rest.drain(..taken);
    Ok(())
}

fn read(bytes: &[u8]) -> Result<Frame, Fault> {
    let message = read_message_from(bytes).map_err(|_| Fault::Unreadable)?;
    let header = |name: &str| {
        let header = message.headers().iter().find(|header| header.name().as_str() == name)?;
        header.value().as_string().ok().map(|value| value.as_str().to_owned())
    };
    // An error has no payload, but a code and a sentence among its headers.
    if let Some(code) = header(":error-code") {
        let message = header(":error-message").unwrap_or_default();
        let data = serde_json::json!({ "message": message }).to_string().into_bytes();
        return Ok(Frame { event: Some(code), data });
    }
    let event = header(":exception-type").or_else(|| header(":event-type"));
    Ok(Frame { event, data: message.payload().to_vec() })
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue, Message};

    use super::*;

    fn message(headers: &[(&'static str, &'static str)], payload: &'static [u8]) -> Vec<u8> {
        let message = headers.iter().fold(Message::new(payload), |message, (name, value)| {
            message.add_header(Header::new(*name, HeaderValue::String((*value).into())))
        });
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).unwrap();
        bytes
    }

    fn stream() -> Vec<u8> {
        [
            message(&[(":message-type", "event"), (":event-type", "messageStart")], br#"{"role":"assistant"}"#),
            message(&[(":message-type", "exception"), (":exception-type", "throttlingException")], b"{}"),
            message(&[(":message-type", "error"), (":error-code", "500"), (":error-message", "no \"luck\"")], b""),
        ]
        .concat()
    }

    fn cut(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let (mut rest, mut frames) = (Vec::new(), Vec::new());
        for piece in pieces {
            rest.extend_from_slice(piece);
            take(&mut rest, 1 << 20, &mut frames).unwrap();
        }
        assert!(rest.is_empty());
        let text = |frame: Frame| (frame.event.unwrap(), String::from_utf8(frame.data).unwrap());
        frames.into_iter().map(text).collect()
    }

    #[test]
    fn every_split_gives_the_same_messages() {
        let bytes = stream();
        let expected = [
            ("messageStart".to_owned(), "{\"role\":\"assistant\"}".to_owned()),
            ("throttlingException".to_owned(), "{}".to_owned()),
            ("500".to_owned(), "{\"message\":\"no \\\"luck\\\"\"}".to_owned()),
        ];
        assert_eq!(cut(&[&bytes]), expected);
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(cut(&[head, tail]), expected, "split at {at}");
        }
        assert_eq!(cut(&bytes.chunks(1).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn a_message_with_a_wrong_checksum_is_none() {
        let mut bytes = stream();
        bytes[20] ^= 1;
        assert_eq!(take(&mut bytes, 1 << 20, &mut Vec::new()), Err(Fault::Unreadable));
    }

    #[test]
    fn a_message_may_be_too_long_or_too_short() {
        let mut long = [&u32::MAX.to_be_bytes()[..], &[0; 8]].concat();
        assert_eq!(take(&mut long, 1 << 20, &mut Vec::new()), Err(Fault::TooLong));
        let mut short = vec![0; 64];
        assert_eq!(take(&mut short, 1 << 20, &mut Vec::new()), Err(Fault::Unreadable));
    }
}
