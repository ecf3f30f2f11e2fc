//! What the test guests that bring tools have in common, so that each is little more than its misbehaviour.

use serde_json::Value;

/// What `wit-bindgen` makes of the contract.
pub mod bindings {
    #![expect(unsafe_code, reason = "generated code")]

    wit_bindgen::generate!({
        path: "../../../wit",
        world: "tool-plugin",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "::tool_kit::bindings",
    });
}

pub use bindings::exports::mortise::plugin::tool::{Annotations, Context, Error, ErrorKind, Guest, Output, Spec};
pub use bindings::mortise::plugin::chat::ResultPart;
pub use bindings::mortise::plugin::{kv, log, process, progress};

/// Exports a [`Tools`] as the plugin.
#[macro_export]
macro_rules! tools {
    ($guest:ty) => {
        struct Exported;
        impl $crate::Guest for Exported {
            fn list_tools(_: String) -> Result<Vec<$crate::Spec>, $crate::Error> {
                Ok(<$guest as $crate::Tools>::NAMES.iter().map(|name| $crate::spec(name)).collect())
            }
            fn call(
                name: String,
                arguments: String,
                context: $crate::Context,
                _: String,
            ) -> Result<$crate::Output, $crate::Error> {
                let arguments = $crate::parse(&arguments);
                <$guest as $crate::Tools>::call(&name, &arguments, &context).map($crate::text).map_err($crate::failed)
            }
        }
        $crate::bindings::export!(Exported with_types_in $crate::bindings);
    };
}

/// Tools that take anything and answer in text.
pub trait Tools {
    /// Their names.
    const NAMES: &'static [&'static str];
    /// Calls one; the error is for the model.
    fn call(name: &str, arguments: &Value, context: &Context) -> Result<String, String>;
}

/// A tool that takes anything.
pub fn spec(name: &str) -> Spec {
    Spec {
        name: name.to_owned(),
        title: None,
        description: format!("Tests {name}"),
        category: "testing".to_owned(),
        input_schema: r#"{"type":"object"}"#.to_owned(),
        output_schema: None,
        annotations: Annotations { read_only: true, destructive: false, idempotent: true, open_world: false },
    }
}

/// The arguments, which the host has checked.
pub fn parse(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_default()
}

/// A text argument; empty where there is none.
pub fn argument<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments[name].as_str().unwrap_or_default()
}

/// An answer of one text.
pub fn text(text: String) -> Output {
    Output { parts: vec![ResultPart::Text(text)], structured: None }
}

/// A failure of the tool's own.
pub fn failed(message: String) -> Error {
    Error { kind: ErrorKind::Failed, message }
}

/// A loop that the optimizer can't see the end of.
pub fn forever() -> ! {
    loop {
        std::hint::black_box(0);
    }
}
