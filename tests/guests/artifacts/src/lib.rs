//! The test guests, built: one misbehaviour each.
//!
//! What each does, and what must stop it, stands in the first lines of `tests/guests/<name>/src/lib.rs`. Two have no
//! source of their own: `no-manifest` is `well` without its manifest, `wrong-version` is `artifacts/wrong-version.wat`.

/// Every guest by name, sorted.
pub fn all() -> &'static [(&'static str, &'static [u8])] {
    include!(concat!(env!("OUT_DIR"), "/guests.rs"))
}

/// One guest.
///
/// # Panics
///
/// When there is none of that name: the test that asks has a mistake.
pub fn get(name: &str) -> &'static [u8] {
    let found = all().iter().find(|(known, _)| *known == name);
    #[expect(clippy::panic, reason = "only tests depend on this crate")]
    match found {
        Some((_, component)) => component,
        None => panic!("there is no test guest named {name:?}"),
    }
}

#[cfg(test)]
mod tests;
