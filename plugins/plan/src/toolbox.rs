//! The tool and what is said of it.

use mortise_sdk::tool::{NoSettings, Tool, Toolbox};

use crate::update;

pub(crate) struct Plan;

impl Toolbox for Plan {
    type Settings = NoSettings;

    fn tools() -> Vec<Tool<NoSettings>> {
        vec![
            Tool::new(
                "update_plan",
                "Says the plan of the work and how far it has come, so that people can follow. Give all steps each time, also those \
                 that are done; keep at most one in progress unless work goes on side by side.",
                update::run,
            )
            .title("Update the plan")
            .category("planning")
            .returns::<update::Plan>()
            .idempotent(),
        ]
    }
}
