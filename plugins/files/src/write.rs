//! The tool `write_file`.

use mortise_sdk::tool::{Call, Error, NoSettings, Reply};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::file;
use crate::text::Text;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// Path to the file, relative to the workspace.
    #[serde(alias = "path")]
    #[schemars(extend("x-aliases" = ["path"]))]
    file_path: String,
    /// The whole new content.
    content: String,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Written {
    file_path: String,
    /// Whether there was no such file before.
    created: bool,
    bytes: usize,
    lines: usize,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let place = file::place(&arguments.file_path)?;
    let created = !file::exists(&place);
    let text = Text::new(arguments.content);
    let bytes = text.encode();
    if created {
        file::make_parents(&place)?;
    }
    file::save(&place, &bytes)?;
    let lines = text.content.lines().count();
    let written = Written { file_path: place.name().to_owned(), created, bytes: bytes.len(), lines };
    let what = if created { "created" } else { "wrote" };
    Ok(Reply::text(format!("{what} {place} ({lines} lines, {} bytes)", bytes.len())).with(&written))
}
