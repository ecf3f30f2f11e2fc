//! Exchanges of one step.

use super::{Error, Exchange, Out};
use crate::http::{Frame, Request};

struct Once<F> {
    request: Option<Request>,
    read: F,
}

struct Answer<F>(F);

/// Sends one request and reads its whole answer. `read` emits; finishing is done for it.
pub fn once(request: Request, read: impl FnMut(&Frame, &mut Out) -> Result<(), Error> + 'static) -> Box<dyn Exchange> {
    Box::new(Once { request: Some(request), read })
}

/// Asks nobody: `say` emits at once; finishing is done for it.
pub fn answer(say: impl FnMut(&mut Out) -> Result<(), Error> + 'static) -> Box<dyn Exchange> {
    Box::new(Answer(say))
}

impl<F: FnMut(&Frame, &mut Out) -> Result<(), Error>> Exchange for Once<F> {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        if let Some(request) = self.request.take() {
            out.send(request);
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame, out: &mut Out) -> Result<(), Error> {
        (self.read)(&frame, out)?;
        out.finish();
        Ok(())
    }
}

impl<F: FnMut(&mut Out) -> Result<(), Error>> Exchange for Answer<F> {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        (self.0)(out)?;
        out.finish();
        Ok(())
    }
}
