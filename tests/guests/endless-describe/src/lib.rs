//! Never returns from `describe`.
//!
//! The CPU budget of loading must stop it; it is never published.

use mortise_sdk::provider::{Error, Info, NoSettings, Provider};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        kit::forever()
    }
}

mortise_sdk::provider!(Guest);
