//! What a session's options (`sdk_options`) say of how its questions are answered.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::model::run::{Pattern, Rules};
use crate::model::{Error, Kind, Result};

/// See the module. Options without a meaning here are kept with the session, and nothing else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The provider that is asked.
    pub provider: Option<String>,
    /// The model that is asked.
    pub model: Option<String>,
    /// How freely it answers.
    pub temperature: Option<f64>,
    /// Tokens of an answer.
    pub max_tokens: Option<u32>,
    /// Answers for one question, where tools are called in between.
    pub max_turns: Option<u32>,
    /// Which tools the model may use; none of them where `allowed_tools` names none.
    pub rules: Option<Rules>,
}

const MODES: &str = "default, acceptEdits, bypassPermissions, requirePermissions or plan";

// === impl Options ===

impl Options {
    /// Reads them.
    ///
    /// # Errors
    /// Names the option that is wrong.
    pub fn read(options: &Map<String, Value>) -> Result<Self> {
        let allowed = patterns(options, "allowed_tools")?;
        let disallowed = patterns(options, "disallowed_tools")?;
        let mode = match take::<String>(options, "permission_mode", "a string")? {
            None => None,
            Some(mode) => Some(mode.parse().map_err(|()| wrong("permission_mode", &format!("it can be {MODES}")))?),
        };
        let rules = Rules { disallowed, mode: mode.unwrap_or_default(), ..Rules::default() };
        let max_turns = whole(options, "max_turns")?;
        if max_turns == Some(0) {
            return Err(wrong("max_turns", "expected a positive integer"));
        }
        Ok(Self {
            provider: take(options, "provider", "a string")?,
            model: take(options, "model", "a string")?,
            temperature: take(options, "temperature", "a number")?,
            max_tokens: whole(options, "max_tokens")?,
            max_turns,
            rules: (!allowed.is_empty()).then_some(Rules { allowed, ..rules }),
        })
    }
}

fn patterns(options: &Map<String, Value>, name: &str) -> Result<Vec<Pattern>> {
    let texts: Vec<String> = take(options, name, "a list of strings")?.unwrap_or_default();
    texts.iter().map(|text| text.parse().map_err(|why: String| wrong(name, &why))).collect()
}

/// JSON knows no difference between 3 and 3.0.
fn whole(options: &Map<String, Value>, name: &str) -> Result<Option<u32>> {
    let Some(number) = take::<f64>(options, name, "a positive integer")? else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is checked before")]
    let whole = (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32);
    whole.map(Some).ok_or_else(|| wrong(name, "expected a positive integer"))
}

fn take<T: DeserializeOwned>(options: &Map<String, Value>, name: &str, kind: &str) -> Result<Option<T>> {
    match options.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::deserialize(value).map(Some).map_err(|_| wrong(name, &format!("expected {kind}"))),
    }
}

fn wrong(name: &str, why: &str) -> Error {
    let param = format!("sdk_options.{name}");
    Error::caller(Kind::InvalidValue, format!("Invalid value for {param}: {why}")).with_param(param)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::run::Mode;

    fn read(options: Value) -> Result<Options> {
        Options::read(options.as_object().unwrap())
    }

    #[test]
    fn options_are_read_and_others_are_left_alone() {
        let options = read(json!({
            "model": "m", "temperature": 0.5, "max_turns": 3.0, "allowed_tools": ["Read", "Bash(git:*)"],
            "disallowed_tools": ["Write"], "permission_mode": "acceptEdits", "cwd": "/tmp", "custom": {"a": 1}
        }))
        .unwrap();
        assert_eq!((options.model.as_deref(), options.temperature, options.max_turns), (Some("m"), Some(0.5), Some(3)));
        let rules = options.rules.unwrap();
        assert_eq!((rules.allowed.len(), rules.disallowed.len(), rules.mode), (2, 1, Mode::AcceptEdits));
    }

    #[test]
    fn without_allowed_tools_there_are_none() {
        assert_eq!(read(json!({})).unwrap(), Options::default());
        assert_eq!(read(json!({"allowed_tools": [], "disallowed_tools": ["Write"]})).unwrap().rules, None);
        assert_eq!(read(json!({"allowed_tools": null, "model": null})).unwrap(), Options::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (options, param) in [
            (json!({"provider": 1}), "sdk_options.provider"),
            (json!({"temperature": "hot"}), "sdk_options.temperature"),
            (json!({"max_turns": 0}), "sdk_options.max_turns"),
            (json!({"allowed_tools": "Read"}), "sdk_options.allowed_tools"),
            (json!({"allowed_tools": ["Bash("]}), "sdk_options.allowed_tools"),
            (json!({"permission_mode": "yolo"}), "sdk_options.permission_mode"),
        ] {
            let error = read(options).unwrap_err();
            assert_eq!((error.kind(), error.param()), (Kind::InvalidValue, Some(param)));
        }
    }
}
