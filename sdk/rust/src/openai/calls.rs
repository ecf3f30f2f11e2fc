//! Putting tool calls together from their pieces.

use super::chunk::{Call, text_of};
use crate::chat::{CallStarted, Delta, Event, Field};
use crate::names::Names;
use crate::provider::{Error, Out};

/// The calls of one answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    /// The vendor's number, which doesn't always tell calls apart.
    index: Option<u32>,
    id: String,
    block: u32,
    /// Arguments that came before the name. Absent when the call has been announced.
    early: Option<String>,
    /// Whether a piece of the current chunk belongs to it.
    fresh: bool,
}

impl Calls {
    /// Whether the model called anything.
    pub(super) fn any(&self) -> bool {
        !self.open.is_empty()
    }

    /// Takes a piece of a call in. `answer` is the answer's id, out of which an id is made where the vendor gives none. The
    /// vendor's fields go with the piece that names the call.
    pub(super) fn add(
        &mut self,
        call: &Call<'_>,
        names: &Names,
        answer: &str,
        next_block: &mut u32,
        out: &mut Out,
    ) -> Result<(), Error> {
        let id = call.id.as_ref().map_or("", |id| id.0.as_ref());
        let function = call.function.as_ref();
        let name = function.and_then(|function| function.name.as_ref()).map_or("", |name| name.0.as_ref());
        let arguments = match function.and_then(|function| function.arguments) {
            Some(value) => text_of(value).ok_or_else(Error::unreadable)?,
            None => "".into(),
        };
        let slot = match self.find(call.index, id, name) {
            Some(at) => at,
            None => {
                let ordinal = self.open.len();
                let id = if id.is_empty() { format!("call_{answer}_{ordinal}") } else { id.to_owned() };
                self.open.push(Slot {
                    index: call.index,
                    id,
                    block: *next_block,
                    early: Some(String::new()),
                    fresh: true,
                });
                *next_block += 1;
                ordinal
            }
        };
        let Some(slot) = self.open.get_mut(slot) else { return Ok(()) };
        slot.fresh = true;
        if let Some(early) = &mut slot.early {
            early.push_str(&arguments);
            if name.is_empty() {
                return Ok(());
            }
            let (block, id, name) = (slot.block, slot.id.clone(), names.whole(name).to_owned());
            let extra = call.unknown.iter().map(|(name, value)| Field::new(name.clone(), value.get())).collect();
            out.emit(Event::CallStarted(CallStarted { block, id, name, extra }));
            let text = slot.early.take().unwrap_or_default();
            if !text.is_empty() {
                out.emit(Event::CallArguments(Delta { block, text }));
            }
        } else if !arguments.is_empty() {
            out.emit(Event::CallArguments(Delta { block: slot.block, text: arguments.into_owned() }));
        }
        Ok(())
    }

    /// A call of which only a part came is none.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.open.iter().any(|slot| slot.early.is_some()) {
            true => Err(Error::upstream("the vendor sent a tool call without a name")),
            false => Ok(()),
        }
    }

    /// Another chunk begins.
    pub(super) fn begin_chunk(&mut self) {
        self.open.iter_mut().for_each(|slot| slot.fresh = false);
    }

    /// The slot to which a piece belongs. By index, unless another id and a name say that it is a new call after all;
    /// without an index by id, but for calls of the same chunk, which are as many as it says; a name alone opens a new call, and what
    /// has neither continues the last one.
    fn find(&self, index: Option<u32>, id: &str, name: &str) -> Option<usize> {
        let last = |matches: &dyn Fn(&Slot) -> bool| self.open.iter().rposition(matches);
        match index {
            Some(_) => {
                let at = last(&|slot| slot.index == index)?;
                let renamed = !name.is_empty()
                    && !id.is_empty()
                    && self.open.get(at).is_some_and(|slot| slot.early.is_none() && slot.id != id);
                (!renamed).then_some(at)
            }
            None if !id.is_empty() => last(&|slot| slot.id == id && !slot.fresh),
            None if !name.is_empty() => None,
            None => last(&|_| true),
        }
    }
}
