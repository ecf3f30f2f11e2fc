//! The same for tools. What both worlds use is one type.

wit_bindgen::generate!({
    path: "../../wit",
    world: "tool-plugin",
    with: {
        "mortise:plugin/chat@0.1.0": crate::bindings::mortise::plugin::chat,
        "mortise:plugin/log@0.1.0": crate::bindings::mortise::plugin::log,
    },
    generate_all,
    additional_derives: [PartialEq],
    pub_export_macro: true,
    default_bindings_module: "::mortise_sdk::bindings::tool",
});
