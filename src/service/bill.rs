//! What a call takes: guessed before, counted while it goes on, settled when it ends, however it ends.
//!
//! One count serves the caller's limit of tokens, the meter, and what the caller is told. What a vendor counts is taken as it
//! is; where it counts nothing, or not to the end, the rest is an estimate and is called one.

use std::sync::Arc;

use super::budget::{Amount, Budgets, Charge};
use super::limit::{Limiter, Reservation};
use super::meter::{Entry, Meter};
use super::route::{Chosen, Plan, prompt};
use crate::model::caller::Caller;
use crate::model::chat::{Event, Request, Usage};
use crate::model::provider::Price;
use crate::model::{Error, Result};
use crate::telemetry::metrics::Outcome;

/// Tokens of an answer to who sets no limit.
const ANSWER: u64 = 1000;

/// See the module. Dropped before its end, the call was cancelled.
pub(super) struct Bill {
    meter: Arc<Meter>,
    principal: Arc<str>,
    /// Absent where the caller has no limit.
    reservation: Option<Reservation>,
    /// What the account and the key pay.
    charge: Charge,
    /// Tokens of the prompt, by a rough count.
    prompt: u64,
    count: Count,
    /// Who was asked last, and what that costs.
    chosen: Option<Chosen>,
    price: Option<Price>,
    attempts: u32,
    outcome: Option<Outcome>,
}

/// Where calls are counted.
#[derive(Clone, Copy)]
pub(super) struct Books<'b> {
    pub(super) limiter: &'b Limiter,
    pub(super) meter: &'b Arc<Meter>,
    pub(super) budgets: &'b Arc<Budgets>,
}

/// What was used so far.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Whether the vendor was asked at all.
    asked: bool,
    /// Whether the model said anything at all.
    spoke: bool,
    /// Bytes that were said since the vendor last told what it counted.
    said: usize,
    usage: Option<Usage>,
}

// === impl Bill ===

impl Bill {
    /// Takes what `request` will probably use, wherever of `plan` it is served.
    ///
    /// # Errors
    /// If the caller has used up what is allowed.
    pub(super) async fn open(books: Books<'_>, caller: &Caller, request: &Request, plan: &Plan) -> Result<Self> {
        let answer = request.max_tokens.map_or(ANSWER, u64::from);
        Self::reserve(books, caller, prompt::count(request), answer, plan).await
    }

    /// The same for texts without an answer.
    ///
    /// # Errors
    /// If the caller has used up what is allowed.
    pub(super) async fn of_texts(books: Books<'_>, caller: &Caller, texts: &[String], plan: &Plan) -> Result<Self> {
        let prompt = prompt::tokens(texts.iter().map(String::len).sum());
        Self::reserve(books, caller, prompt, 0, plan).await
    }

    async fn reserve(books: Books<'_>, caller: &Caller, prompt: u64, answer: u64, plan: &Plan) -> Result<Self> {
        let Books { limiter, meter, budgets } = books;
        let tokens = prompt.saturating_add(answer);
        let counts = limiter.counts_tokens(caller);
        let reservation = if counts { limiter.reserve(caller, tokens)? } else { None };
        // As if the dearest served it.
        let usage = Usage { input: prompt, output: answer, ..Usage::default() };
        let prices = plan.targets.iter().filter_map(|target| target.vendor().ok()?.price(&target.model));
        let cost = prices.map(|price| price.of(&usage)).max_by(f64::total_cmp);
        let charge = budgets.open(caller, Amount::new(tokens, cost)).await?;
        Ok(Self {
            meter: meter.clone(),
            principal: caller.principal.clone(),
            reservation,
            charge,
            prompt,
            count: Count::default(),
            chosen: None,
            price: None,
            attempts: 0,
            outcome: None,
        })
    }

    /// `chosen` is asked, in the attempt of that number.
    pub(super) fn attempt(&mut self, chosen: &Chosen, number: u32) {
        self.price = chosen.vendor().ok().and_then(|vendor| vendor.price(&chosen.model));
        self.chosen = Some(chosen.clone());
        (self.attempts, self.outcome) = (number, None);
    }

    /// The vendor is being asked: who hangs up from now on has used the prompt all the same.
    pub(super) fn asked(&mut self) {
        self.count.asked = true;
        self.charge.called();
        self.write();
    }

    /// The vendor failed. Who was told nothing pays nothing.
    pub(super) fn failed(&mut self, error: &Error) {
        if !self.count.spoke {
            self.count = Count::default();
            self.write();
        }
        self.outcome = Some(Outcome::of(error));
    }

    /// The answer is whole.
    pub(super) fn done(&mut self) {
        self.outcome = Some(Outcome::Ok);
    }

    /// The model said `events`; what the vendor counted in them is told with its price.
    pub(super) fn add(&mut self, events: &mut [Event]) {
        for event in events {
            self.count.spoke |= event.is_content();
            match event {
                Event::Usage(usage) => self.tell(usage),
                Event::Text { text, .. }
                | Event::Thinking { text, .. }
                | Event::Refusal { text, .. }
                | Event::CallArguments { text, .. } => self.count.said += text.len(),
                _ => {}
            }
        }
        self.write();
    }

    /// The vendor told what it counted, to which the price is added.
    pub(super) fn told(&mut self, usage: &mut Usage) {
        self.tell(usage);
        self.write();
    }

    /// What was used so far, and whether that is an estimate.
    pub(super) fn usage(&self) -> (Usage, bool) {
        let (mut usage, estimated) = self.count.usage(self.prompt);
        usage.cost = usage.cost.or_else(|| Some(self.price?.of(&usage)));
        (usage, estimated)
    }

    fn tell(&mut self, usage: &mut Usage) {
        // Some vendors tell the prompt's tokens first and the answer's last.
        (self.count.usage, self.count.said) = (Some(*usage), 0);
        usage.cost = usage.cost.or_else(|| Some(self.price?.of(usage)));
    }

    fn write(&mut self) {
        let (usage, _) = self.usage();
        self.charge.spent(Amount::new(usage.total(), usage.cost));
        if let Some(reservation) = &mut self.reservation {
            reservation.spent(self.count.usage(self.prompt).0.total());
        }
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        // Who asked nobody has used nothing.
        let Some(chosen) = &self.chosen else { return };
        let (usage, estimated) = self.usage();
        self.meter.record(&Entry {
            principal: &self.principal,
            provider: &chosen.provider.name,
            model: &chosen.model,
            usage,
            estimated,
            outcome: self.outcome.unwrap_or(Outcome::Cancelled),
            attempts: self.attempts,
        });
    }
}

// === impl Count ===

impl Count {
    /// All of it, and whether that is an estimate.
    fn usage(&self, prompt: u64) -> (Usage, bool) {
        let said = prompt::tokens(self.said);
        match self.usage {
            Some(told) => (Usage { output: told.output.saturating_add(said), ..told }, said > 0),
            None if self.asked => (Usage { input: prompt, output: said, ..Usage::default() }, true),
            None => (Usage::default(), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RateLimit;
    use crate::model::chat::{Message, Role};
    use crate::service::Clock;
    use crate::store::Store;

    const PRICE: Price =
        Price { input: 1.0, output: 2.0, cache_read: None, cache_write: None, cache_write_hour: None, long: None };

    async fn bill(price: Option<Price>) -> Bill {
        let limiter = Limiter::new(&RateLimit::default(), Clock::system());
        let caller = Caller::anonymous("192.0.2.1".parse().unwrap(), "openai");
        let request = Request { messages: vec![Message::text(Role::User, "x".repeat(400))], ..Request::default() };
        let (budgets, _) = Budgets::new(Store::in_memory(), Clock::system());
        let books = Books { limiter: &limiter, meter: &Arc::default(), budgets: &budgets };
        let plan = Plan { targets: [].into(), cache: None };
        let mut bill = Bill::open(books, &caller, &request, &plan).await.unwrap();
        bill.price = price;
        bill.asked();
        bill
    }

    fn text(length: usize) -> Event {
        Event::Text { block: 0, text: "w".repeat(length) }
    }

    fn told(input: u64, output: u64, cost: Option<f64>) -> Event {
        Event::Usage(Usage { input, output, cost, ..Usage::default() })
    }

    #[tokio::test]
    async fn what_a_vendor_counts_is_taken_as_it_is() {
        let mut bill = bill(Some(PRICE)).await;
        let mut events = [text(80), told(7, 9, Some(0.125)), Event::Text { block: 0, text: String::new() }];
        bill.add(&mut events);
        assert_eq!(events[1], told(7, 9, Some(0.125)), "its own cost is not ours to change");
        assert_eq!(bill.usage(), (Usage { input: 7, output: 9, cost: Some(0.125), ..Usage::default() }, false));
    }

    #[tokio::test]
    async fn what_it_counts_without_a_price_gets_ours() {
        let mut bill = bill(Some(PRICE)).await;
        let mut events = [told(1_000_000, 500_000, None)];
        bill.add(&mut events);
        assert_eq!(events, [told(1_000_000, 500_000, Some(2.0))]);
        let mut unknown = self::bill(None).await;
        unknown.add(&mut [told(1_000_000, 500_000, None)]);
        assert_eq!(unknown.usage().0.cost, None);
    }

    #[tokio::test]
    async fn what_it_does_not_count_is_an_estimate() {
        let mut bill = bill(Some(PRICE)).await;
        assert_eq!((bill.usage().0.input, bill.usage().0.output, bill.usage().1), (100, 0, true));
        bill.add(&mut [text(40)]);
        assert_eq!((bill.usage().0.input, bill.usage().0.output, bill.usage().1), (100, 10, true));
        // The prompt was counted before the first word, the answer never was.
        bill.add(&mut [told(90, 1, None), text(40)]);
        assert_eq!((bill.usage().0.input, bill.usage().0.output, bill.usage().1), (90, 11, true));
        assert_eq!(bill.usage().0.cost, Some(112.0 / 1e6));
    }

    #[tokio::test]
    async fn who_was_told_nothing_pays_nothing() {
        let mut silent = bill(Some(PRICE)).await;
        silent.add(&mut [told(90, 0, None)]);
        silent.failed(&Error::internal("x"));
        assert_eq!((silent.usage().0.total(), silent.usage().0.cost, silent.usage().1), (0, Some(0.0), false));
        let mut cut = bill(Some(PRICE)).await;
        cut.add(&mut [text(4)]);
        cut.failed(&Error::internal("x"));
        assert_eq!(cut.usage().0.total(), 101);
    }
}
