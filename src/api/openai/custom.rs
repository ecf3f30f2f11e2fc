//! Tools that take free text, offered as functions of one string: most providers know only functions.

use serde::{Deserialize, Serialize};

use crate::http::Fields;
use crate::model::Result;

/// The parameters of such a function.
pub(super) const PARAMETERS: &str = r#"{"type":"object","properties":{"input":{"type":"string","description":"The tool's whole input, as free text."}},"required":["input"],"additionalProperties":false}"#;

/// The arguments of such a function.
#[derive(Deserialize, Serialize)]
struct Arguments<S> {
    input: S,
}

/// What the model is told of a tool, and of the grammar that its input has to follow.
///
/// # Errors
/// If `format`, which `tool` may have, can't be read.
pub(super) fn description(tool: &mut Fields) -> Result<Option<String>> {
    let said: Option<String> = tool.take("description")?;
    let Some(mut format) = tool.take_object("format")? else { return Ok(said) };
    // Chat completions have an object more around it.
    let mut grammar = format.take_object("grammar")?.unwrap_or(format);
    let Some(definition) = grammar.take::<String>("definition")? else { return Ok(said) };
    let syntax = grammar.take::<String>("syntax")?.unwrap_or_else(|| "given".into());
    let said = said.map(|said| said + "\n\n").unwrap_or_default();
    Ok(Some(format!("{said}The input must follow this grammar ({syntax}):\n{definition}")))
}

/// The input of a call as the function's arguments.
pub(super) fn wrap(input: &str) -> String {
    serde_json::to_string(&Arguments { input }).unwrap_or_default()
}

/// The input that a model gave, also where it didn't put it into an object.
pub(super) fn unwrap(arguments: &str) -> String {
    serde_json::from_str::<Arguments<String>>(arguments).map_or_else(|_| arguments.to_owned(), |given| given.input)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_wrapped_is_unwrapped(input: String) {
            prop_assert_eq!(unwrap(&wrap(&input)), input);
        }
    }

    #[test]
    fn what_is_no_object_is_the_input_itself() {
        for plain in ["*** Begin Patch", "", "{\"input\":", "{\"input\":7}", "[1]"] {
            assert_eq!(unwrap(plain), plain);
        }
    }

    #[test]
    fn the_model_is_told_the_grammar() {
        let told = |tool: &'static str| {
            description(&mut Fields::parse(&Bytes::from_static(tool.as_bytes())).unwrap()).unwrap().unwrap_or_default()
        };
        assert_eq!(told("{}"), "");
        assert_eq!(told(r#"{"description":"d","format":{"type":"text"}}"#), "d");
        for format in [
            r#"{"type":"grammar","syntax":"lark","definition":"start: /x/"}"#,
            r#"{"type":"grammar","grammar":{"syntax":"lark","definition":"start: /x/"}}"#,
        ] {
            let tool = format!(r#"{{"description":"d","format":{format}}}"#);
            let told = description(&mut Fields::parse(&Bytes::from(tool)).unwrap()).unwrap().unwrap();
            assert!(told.starts_with("d\n\n") && told.contains("(lark)") && told.ends_with("start: /x/"), "{told}");
        }
    }
}
