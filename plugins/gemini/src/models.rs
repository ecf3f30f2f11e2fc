//! The vendor's list of models, page by page.

use mortise_sdk::fields::Fields;
use mortise_sdk::http::{Frame, Head, Request};
use mortise_sdk::provider::{Error, Exchange, Model, Out};

use crate::{failure, model};

/// A list that never ends is none.
const PAGES: u32 = 20;

struct List {
    /// Where the next page is.
    token: String,
    pages: u32,
}

pub(crate) fn list() -> Box<dyn Exchange> {
    Box::new(List { token: String::new(), pages: 0 })
}

impl Exchange for List {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        let mut path = String::from("/models?pageSize=1000");
        if !self.token.is_empty() {
            path.push_str("&pageToken=");
            model::escape(&mut path, &self.token);
        }
        out.send(Request::get(path));
        Ok(())
    }

    fn refused(&mut self, head: &Head, body: &[u8], _: &mut Out) -> Result<(), Error> {
        Err(failure::from_response(head, body))
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        let mut page: Fields<'_> = frame.json()?;
        let entries = page.take::<Vec<Fields<'_>>>("models")?.unwrap_or_default();
        let models = entries.into_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        out.emit(models.into_iter().flatten().collect::<Vec<_>>());
        self.token = page.take_text("nextPageToken")?.unwrap_or_default().into_owned();
        self.pages += 1;
        if self.token.is_empty() || self.pages == PAGES {
            out.finish();
        }
        Ok(())
    }

    /// This page is over, and there is another.
    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        match self.token.is_empty() {
            true => Err(Error::unreadable()),
            false => self.begin(out),
        }
    }
}

/// A model that can be asked here; there are some that make videos or only speak live.
fn entry(mut entry: Fields<'_>) -> Result<Option<Model>, Error> {
    let name = entry.take_text("name")?.ok_or_else(Error::unreadable)?;
    let methods = entry.take::<Vec<String>>("supportedGenerationMethods")?.unwrap_or_default();
    let can = |method: &str| methods.iter().any(|known| known == method);
    let (chats, embeds) = (can("generateContent"), can("embedContent") || can("batchEmbedContents"));
    if !methods.is_empty() && !chats && !embeds {
        return Ok(None);
    }
    // Zero means that the vendor doesn't know.
    let mut limit = |name: &str| Ok::<_, Error>(entry.take::<u32>(name)?.filter(|limit| *limit != 0));
    let (context_window, max_output) = (limit("inputTokenLimit")?, limit("outputTokenLimit")?);
    Ok(Some(Model {
        name: entry.take_text("displayName")?.map(|name| name.into_owned()),
        owner: Some("google".into()),
        context_window,
        max_output: max_output.filter(|_| chats),
        tools: (!chats && embeds).then_some(false),
        reasoning: entry.take("thinking")?,
        ..Model::new(name.strip_prefix("models/").unwrap_or(&name))
    }))
}
