//! Custom sections of a component: found without looking into anything else, appended at the end.

use std::ops::Range;

use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Chunk, Encoding, Parser, Payload};

use crate::ManifestError;

/// Shows every top-level section with the bytes that it takes, header included, and, for a custom one, its name and
/// data. Nested modules and components are stepped over, so the cost doesn't depend on the code inside.
pub(crate) fn walk<'a>(
    component: &'a [u8],
    mut each: impl FnMut(Range<usize>, Option<(&'a str, &'a [u8])>),
) -> Result<(), ManifestError> {
    if Parser::is_core_wasm(component) {
        return Err(ManifestError::CoreModule);
    }
    if !Parser::is_component(component) {
        return Err(ManifestError::NotAComponent);
    }
    let damaged = |what: &dyn ToString| ManifestError::Damaged(what.to_string());
    let mut parser = Parser::new(0);
    let mut at = 0;
    loop {
        let rest = component.get(at..).ok_or_else(|| damaged(&"it is cut off"))?;
        let (consumed, payload) = match parser.parse(rest, true).map_err(|error| damaged(&error))? {
            Chunk::Parsed { consumed, payload } => (consumed, payload),
            Chunk::NeedMoreData(_) => return Err(damaged(&"it is cut off")),
        };
        let mut end = at + consumed;
        let mut custom = None;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => return Err(ManifestError::CoreModule),
            Payload::ModuleSection { unchecked_range: nested, .. }
            | Payload::ComponentSection { unchecked_range: nested, .. } => {
                end += nested.len();
                if end > component.len() {
                    return Err(damaged(&"it is cut off"));
                }
            }
            Payload::CustomSection(section) => custom = Some((section.name(), section.data())),
            Payload::End(_) => return Ok(()),
            _ => {}
        }
        each(at..end, custom);
        at = end;
    }
}

/// Puts a custom section at the end.
pub(crate) fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    CustomSection { name: name.into(), data: data.into() }.append_to_component(component);
}
