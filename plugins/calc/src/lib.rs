//! A calculator: exact for whole numbers as long as they fit into 128 bits, else with floating-point numbers, and it says which.
//!
//! An expression has numbers (also `0x`, `0b`, `1e6`, `1_000`), `+ - * / % ^ **`, `//` (whole division, rounded down), `!`,
//! brackets, the constants `pi`, `e` and `tau`, and the functions of [`functions`]. It is bounded in length and depth, so that no
//! expression can hurt.

mod evaluate;
mod functions;
mod number;
mod parse;
#[cfg(test)]
mod tests;
mod toolbox;

mortise_sdk::tools!(toolbox::Calc);
