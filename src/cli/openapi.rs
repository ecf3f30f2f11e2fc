//! `mortise openapi`.

use std::process::ExitCode;

use clap::Args;

use super::print;
use crate::api;

#[derive(Clone, Debug, Args)]
pub(super) struct OpenapiFlags {
    /// Print YAML in place of JSON.
    #[arg(long)]
    yaml: bool,
}

pub(super) fn run(flags: &OpenapiFlags) -> Result<ExitCode, String> {
    let document = api::document();
    if flags.yaml {
        return print(&serde_saphyr::to_string(&document).map_err(|error| error.to_string())?);
    }
    print(&serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?)
}
