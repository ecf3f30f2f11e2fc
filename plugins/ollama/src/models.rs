//! The models that are there to be run.

use mortise_sdk::fields::Fields;
use mortise_sdk::http::Request;
use mortise_sdk::provider::{Error, Exchange, Model, once};

pub(crate) fn list() -> Box<dyn Exchange> {
    once(Request::get("/api/tags"), |frame, out| {
        let mut list: Fields<'_> = frame.json()?;
        let entries = list.take::<Vec<Fields<'_>>>("models")?.unwrap_or_default();
        let models = entries.into_iter().map(|mut entry| {
            // Older versions say only the name.
            let id = match entry.take_text("model")?.filter(|id| !id.is_empty()) {
                Some(id) => id,
                None => entry.take_text("name")?.ok_or_else(Error::unreadable)?,
            };
            Ok(Model::new(id))
        });
        out.emit(models.collect::<Result<Vec<_>, Error>>()?);
        Ok(())
    })
}
