//! The plan of a piece of work: its steps and how far each has come.
//!
//! The plan is what the last call says; nothing is kept here. Whoever drives a run reads it from the call's structured answer,
//! `{"steps": [{"id", "description", "status"}]}`, and shows or keeps it.

#[cfg(test)]
mod tests;
mod toolbox;
mod update;

mortise_sdk::tools!(toolbox::Plan);
