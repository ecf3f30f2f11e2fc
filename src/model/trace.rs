//! A place in a distributed trace, as W3C Trace Context writes it.

use std::fmt;
use std::sync::Arc;

/// The trace that a piece of work belongs to, and the span above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Names the whole trace; never zero.
    pub trace_id: u128,
    /// Names the span above; never zero.
    pub span_id: u64,
    /// Whether whoever is above records it.
    pub sampled: bool,
    /// What tracing systems tell each other on the way (`tracestate`).
    pub state: Option<Arc<str>>,
}

/// The longest `tracestate` that is passed on: what the specification asks for at least.
const LONGEST_STATE: usize = 512;
/// Entries that one may have.
const STATE_ENTRIES: usize = 32;

// === impl TraceContext ===

impl TraceContext {
    /// Reads `traceparent` and, where it is sound, `tracestate`; `None` if the first is not as the specification says.
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let (version, rest) = parent.split_at_checked(2)?;
        let version = hex(version)?;
        let (body, more) = rest.split_at_checked(53)?;
        // Later versions may go on after another dash; this one ends here, and there is no version 255.
        let ends = more.is_empty() || (version > 0 && more.starts_with('-'));
        if version == 0xff || !ends {
            return None;
        }
        let mut parts = body.strip_prefix('-')?.split('-');
        let (trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || (trace_id.len(), span_id.len(), flags.len()) != (32, 16, 2) {
            return None;
        }
        let trace_id = hex(trace_id).filter(|id| *id != 0)?;
        let span_id = u64::try_from(hex(span_id)?).ok().filter(|id| *id != 0)?;
        let sampled = hex(flags)? & 1 == 1;
        Some(Self { trace_id, span_id, sampled, state: state.and_then(sound).map(Arc::from) })
    }

    /// The value of `traceparent`.
    pub fn parent(&self) -> String {
        format!("00-{self}-{:016x}-{:02x}", self.span_id, u8::from(self.sampled))
    }
}

/// The trace's id, in hexadecimal.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.trace_id)
    }
}

/// A number in lower-case hexadecimal: the only case that the specification knows.
fn hex(text: &str) -> Option<u128> {
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if lower { u128::from_str_radix(text, 16).ok() } else { None }
}

/// `state`, if it is a list of `key=value` that a header can carry.
fn sound(state: &str) -> Option<&str> {
    let state = state.trim();
    let entries = || state.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let fits = !state.is_empty() && state.len() <= LONGEST_STATE && entries().count() <= STATE_ENTRIES;
    let written = state.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    let paired = entries().all(|entry| entry.split_once('=').is_some_and(|(key, _)| !key.is_empty()));
    if fits && written && paired { Some(state) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_read_is_written() {
        let context = TraceContext::parse(PARENT, Some("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")).unwrap();
        assert_eq!(context.parent(), PARENT);
        assert_eq!(context.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.state.as_deref(), Some("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"));
        let unsampled = TraceContext::parse(&PARENT.replace("-01", "-00"), None).unwrap();
        assert!(!unsampled.sampled && unsampled.state.is_none());
    }

    #[test]
    fn later_versions_are_read_as_far_as_they_are_known() {
        let later = PARENT.replacen("00", "cc", 1);
        assert!(TraceContext::parse(&later, None).is_some());
        assert!(TraceContext::parse(&format!("{later}-what-is-to-come"), None).is_some());
        assert!(TraceContext::parse(&format!("{later}x"), None).is_none());
        assert!(TraceContext::parse(&format!("{PARENT}-more"), None).is_none());
    }

    #[test]
    fn what_is_not_as_it_should_be_is_none() {
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-é",
        ] {
            assert_eq!(TraceContext::parse(bad, None), None, "{bad}");
        }
    }

    #[test]
    fn a_bad_state_spoils_no_parent() {
        let long = format!("a={}", "x".repeat(600));
        for bad in ["", "novalue", "a=1,=2", "a=1\r\nx: y", "a=é", &long] {
            let context = TraceContext::parse(PARENT, Some(bad)).unwrap();
            assert_eq!(context.state, None, "{bad:?}");
        }
    }
}
