//! What a server at rest holds: what only its start or a busy hour needed goes back to the system.
//!
//! The program's own code is most of that. Linux maps a file in larger pieces than are run, and what ran once, at the start or for
//! a rare request, stays mapped: tens of megabytes of a process that runs two or three of them. Pages that are let go of
//! come back from the page cache when they are next run.

use std::ffi::c_void;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rustix::mm::{Advice, madvise};

use crate::telemetry::metrics::Metrics;

/// How often it is looked whether the server rests.
const LOOK: Duration = Duration::from_secs(30);
/// It rests where it was asked no more in that time: probes and scrapes never end.
const FEW: u64 = 10;

/// Gives back memory whenever the server comes to rest, until the process ends.
pub(super) async fn keep(metrics: Arc<Metrics>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.tick().await;
    let (mut before, mut given) = (metrics.http.requests(), 0);
    loop {
        ticks.tick().await;
        let now = metrics.http.requests();
        if now.saturating_sub(before) <= FEW && now != given {
            give_back();
            given = now;
        }
        before = now;
    }
}

/// Gives back what isn't needed right now.
pub(super) fn give_back() {
    #[expect(unsafe_code, reason = "a call of the allocator's that takes no pointer")]
    // SAFETY: see the reason; it may be called at any time, on any thread.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
    for range in std::fs::File::open("/proc/self/maps").map(|maps| code(BufReader::new(maps))).unwrap_or_default() {
        #[expect(unsafe_code, reason = "these pages are as the program's file has them, and nobody can write to them")]
        // SAFETY: see the reason; whoever runs or reads them next finds the same there, read from the file again.
        let dropped = unsafe { madvise(range.start as *mut c_void, range.len(), Advice::LinuxDontNeed) };
        if let Err(error) = dropped {
            tracing::debug!(%error, "code that isn't used stays in memory");
        }
    }
}

/// Where `maps`, as Linux tells them, have this program's code and the constants before it, which the file begins with. Those
/// behind it aren't meant: the loader has written to them.
fn code(maps: impl BufRead) -> Vec<Range<usize>> {
    let here = give_back as fn() as usize;
    let mut constants: Option<(String, Range<usize>)> = None;
    for line in maps.lines().map_while(Result::ok) {
        let mut words = line.split_ascii_whitespace();
        let (Some(range), Some(rights), Some(offset)) = (words.next().and_then(addresses), words.next(), words.next())
        else {
            continue;
        };
        let file = words.collect::<Vec<_>>().join(" ");
        if rights == "r--p" && offset.bytes().all(|digit| digit == b'0') {
            constants = Some((file, range));
        } else if rights == "r-xp" && range.contains(&here) {
            let before = constants.filter(|(other, _)| *other == file).map(|(_, range)| range);
            return before.into_iter().chain([range]).collect();
        }
    }
    Vec::new()
}

fn addresses(range: &str) -> Option<Range<usize>> {
    let (start, end) = range.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(rest: &str) -> String {
        let here = give_back as fn() as usize & !0xfff;
        format!("{here:x}-{:x} {rest}\n", here + 0x2000)
    }

    #[test]
    fn only_this_programs_code_and_the_constants_before_it_are_given_back() {
        let other = "1000-2000 r--p 00000000 fe:00 7 /lib/other.so\n2000-3000 r-xp 00001000 fe:00 7 /lib/other.so\n";
        let ours = "4000-5000 r--p 00000000 fe:00 9 /bin/our program\n";
        let code_line = here("r-xp 00001000 fe:00 9 /bin/our program");
        let written = "9000-a000 r--p 00003000 fe:00 9 /bin/our program\n";
        let begin = give_back as fn() as usize & !0xfff;
        let found = code([other, ours, &code_line, written].concat().as_bytes());
        assert_eq!(found, [0x4000..0x5000, begin..begin + 0x2000]);
        // Constants of another file, or none: the code alone.
        assert_eq!(code([other, &code_line].concat().as_bytes()).len(), 1);
        // Code that could be written to, or that isn't there: nothing.
        assert!(code(here("rwxp 00001000 fe:00 9 /bin/our program").as_bytes()).is_empty());
        assert!(code("nonsense\n".as_bytes()).is_empty());
    }

    #[test]
    fn what_is_given_back_is_there_again_when_it_is_needed() {
        let maps = || BufReader::new(std::fs::File::open("/proc/self/maps").unwrap());
        assert!(!code(maps()).is_empty());
        let words: String = (0..100).map(|number| format!("{number} ")).collect();
        give_back();
        assert_eq!((0..100).map(|number| format!("{number} ")).collect::<String>(), words);
        assert!(!code(maps()).is_empty());
    }
}
