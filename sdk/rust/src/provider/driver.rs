//! Between the component's boundary and the author's traits.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::mem;

use serde::de::DeserializeOwned;

use super::{Action, Error, Exchange, Info, Input, Operation, Out, Provider};
use crate::bindings::exports::mortise::plugin::provider as exported;
use crate::http::Head;
use crate::named;

/// An operation from its first input to its last action, for guests and tests alike.
pub struct Driver {
    /// Absent when it is over. An operation that could not be begun says so in answer to the first input.
    exchange: Option<Result<Box<dyn Exchange>, Error>>,
    refusal: Refusal,
}

/// How far a response other than a success has come.
enum Refusal {
    /// There is none.
    None,
    /// Its body is still to come.
    Head(Head),
    /// The exchange knows it; only its end is still to come.
    Told,
}

/// What [`crate::provider!`] exports.
pub struct Guest<P>(PhantomData<P>);

/// The exported resource.
pub struct Handle<P> {
    driver: RefCell<Driver>,
    provider: PhantomData<P>,
}

// === impl Driver ===

impl Driver {
    /// Prepares an operation.
    pub fn new<P: Provider>(operation: Operation, settings: &str) -> Self {
        let exchange = read::<P::Settings>(settings).and_then(|settings| match operation {
            Operation::Chat(request) => P::chat(request, settings),
            Operation::CountTokens(request) => P::count_tokens(request, settings),
            Operation::Embed(request) => P::embed(request, settings),
            Operation::ListModels => P::list_models(settings),
        });
        Self { exchange: Some(exchange), refusal: Refusal::None }
    }

    /// Takes one input. When the operation is over there is nothing more to do.
    pub fn advance(&mut self, input: Input) -> Vec<Action> {
        let mut out = Out::default();
        let step = match &mut self.exchange {
            None => return Vec::new(),
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(exchange)) => step(exchange.as_mut(), &mut self.refusal, input, &mut out),
        };
        if let Err(error) = step {
            out.fail(error);
        }
        if out.is_over() {
            self.exchange = None;
        }
        out.into_actions()
    }
}

fn read<T: DeserializeOwned>(settings: &str) -> Result<T, Error> {
    named::read("settings", settings).map_err(Error::invalid)
}

fn step(exchange: &mut dyn Exchange, refusal: &mut Refusal, input: Input, out: &mut Out) -> Result<(), Error> {
    match input {
        Input::Begin => exchange.begin(out),
        Input::Head(head) if head.is_success() => {
            *refusal = Refusal::None;
            exchange.head(&head, out)
        }
        Input::Head(head) => {
            *refusal = Refusal::Head(head);
            Ok(())
        }
        Input::Woken => exchange.woken(out),
        Input::Frames(frames) => match mem::replace(refusal, Refusal::None) {
            Refusal::None => {
                for frame in frames {
                    exchange.frame(frame, out)?;
                    if out.is_over() {
                        break;
                    }
                }
                Ok(())
            }
            // The body of a refusal comes whole, in one frame.
            Refusal::Head(head) => {
                *refusal = Refusal::Told;
                let body = frames.first().map(|frame| frame.data.as_slice()).unwrap_or_default();
                exchange.refused(&head, body, out)
            }
            Refusal::Told => {
                *refusal = Refusal::Told;
                Ok(())
            }
        },
        Input::End => match mem::replace(refusal, Refusal::None) {
            Refusal::None => exchange.end(out),
            Refusal::Head(head) => exchange.refused(&head, &[], out),
            Refusal::Told => Ok(()),
        },
        // The status alone says enough, even where the body is missing.
        Input::Broken(reason) => match mem::replace(refusal, Refusal::None) {
            Refusal::None => exchange.broken(&reason, out),
            Refusal::Head(head) => exchange.refused(&head, &[], out),
            Refusal::Told => Ok(()),
        },
    }
}

// === impl Guest, Handle ===

impl<P: Provider> Guest<P> {
    /// Says, when compiled, that the provider can be exported.
    pub const fn ready() {}
}

impl<P: Provider> exported::Guest for Guest<P> {
    type Exchange = Handle<P>;

    fn describe(settings: String) -> Result<Info, Error> {
        read(&settings).and_then(P::describe)
    }
}

impl<P: Provider> exported::GuestExchange for Handle<P> {
    fn new(operation: Operation, settings: String) -> Self {
        Self { driver: RefCell::new(Driver::new::<P>(operation, &settings)), provider: PhantomData }
    }

    fn advance(&self, input: Input) -> Vec<Action> {
        // The host doesn't call an exchange from within itself.
        self.driver.try_borrow_mut().map(|mut driver| driver.advance(input)).unwrap_or_default()
    }
}
