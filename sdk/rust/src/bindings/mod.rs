//! What `wit-bindgen` makes of the contract; the other modules give these types clear names.
//!
//! Public because the code that [`provider!`](crate::provider!) writes into a plugin must reach it. Not an interface for
//! people.
#![expect(missing_docs, reason = "generated code; the contract documents it")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "provider-plugin",
    generate_all,
    additional_derives: [PartialEq],
    pub_export_macro: true,
    default_bindings_module: "::mortise_sdk::bindings",
});

pub mod tool;
