//! Server-sent events, read more strictly than the standard asks, so that no sloppy writing goes unseen.

use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: Option<String>,
    pub data: String,
}

impl Event {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.data))
    }
}

/// The events of a text that ends where an event ends.
pub fn parse(text: &str) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    let (mut name, mut data) = (None, None);
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err("the stream ends within an event".into());
    }
    for line in text.split_terminator('\n') {
        if line.contains('\r') {
            return Err(format!("a carriage return: {line:?}"));
        } else if line.is_empty() {
            match (name.take(), data.take()) {
                (name, Some(data)) => events.push(Event { name, data }),
                (Some(name), None) => return Err(format!("the event {name:?} has no data")),
                // After a comment.
                (None, None) => {}
            }
        } else if let Some(value) = line.strip_prefix("data: ") {
            if data.replace(value.to_owned()).is_some() {
                return Err(format!("data on two lines: {line:?}"));
            }
        } else if let Some(value) = line.strip_prefix("event: ") {
            if data.is_some() || name.replace(value.to_owned()).is_some() {
                return Err(format!("a name out of place: {line:?}"));
            }
        } else if let Some(id) = line.strip_prefix("id: ") {
            // It stands first, and so is no id of an event before it.
            if name.is_some() || data.is_some() || id.parse::<u64>().is_err() {
                return Err(format!("an id out of place: {line:?}"));
            }
        } else if !line.starts_with(':') {
            return Err(format!("neither name nor data nor comment: {line:?}"));
        }
    }
    Ok(events)
}

#[test]
fn events_are_read_strictly() {
    let named = Event { name: Some("a".into()), data: "1".into() };
    let bare = Event { name: None, data: "2".into() };
    assert_eq!(parse("event: a\ndata: 1\n\n: alive\n\ndata: 2\n\n").unwrap(), [named, bare]);
    assert_eq!(parse("").unwrap(), []);
    for bad in [
        "data: 1\n",
        "data: 1",
        "data:1\n\n",
        "data: 1\ndata: 2\n\n",
        "event: a\n\n",
        "data: 1\nevent: a\n\n",
        "id: x\ndata: 1\n\n",
        "data: 1\nid: 1\n\n",
        "data: 1\r\n\r\n\n\n",
        "{}\n\n",
    ] {
        assert!(parse(bad).is_err(), "{bad:?}");
    }
}
