//! Times: now, in another zone, and what lies between two of them.

mod toolbox;
mod zones;

#[cfg(test)]
mod tests;

mortise_sdk::tools!(toolbox::Time);
