//! The provider that gives back what it is told.
//!
//! It asks nobody and has no memory, so the same request always has the same answer. That makes it the provider for a first
//! look, for demonstrations and for tests: everything that a model does can be asked of it.
//!
//! # What it answers
//!
//! The text of the last user message, word by word: each word, with the blanks behind it, is one piece. Images, audio and
//! files are mentioned where they stand (`[image/png, 1234 base64 characters]`). When the conversation ends in tool results it
//! answers with their text, in which it obeys no directives. Asked for JSON, it answers with `{"echo": …}`; asked for JSON of
//! a schema, with the least that fits the schema: empty strings, zeros, the first of several values, required properties only.
//! If a tool call is required and no directive makes one, it calls the named tool, or else the first one, with the least
//! arguments that fit.
//!
//! The model `echo-reasoning` thinks before it answers, unless reasoning is switched off; `echo` does so when told.
//!
//! # Directives
//!
//! They stand in the user's text and are taken out of it, together with the blanks behind them. What looks like one but has
//! another name is text; what has the name but not the form is an error.
//!
//! | directive | what it does |
//! |---|---|
//! | `[[tool NAME {json}]]` | calls a tool of the request, the arguments in pieces; several make parallel calls |
//! | `[[think some words]]` | thinks these words before it says anything |
//! | `[[wait MS]]` | waits so many milliseconds before each word that follows |
//! | `[[fail KIND message]]` | fails at this place; KIND is an error kind of the contract, such as `rate-limited` |
//! | `[[fail KIND MS message]]` | the same, and another attempt makes sense after so many milliseconds |
//! | `[[stop REASON]]` | says everything and gives this reason for stopping, such as `length` |
//! | `[[repeat N]]` | says the text so many times; other directives stay in the first round |
//! | `[[refuse words]]` | refuses in these words at this place |
//!
//! # Counting
//!
//! A token is a word: a run of characters between blanks. The input is the words of all messages (also of thinking, tool
//! calls and results) and of the tools' names, descriptions and parameters, and one for each image, audio or file. The output
//! is the words of text, thinking and refusals, and for each call its name and the words of its arguments. `max-tokens` and
//! stop sequences are respected by the same count; a call that doesn't fit is left out.
//!
//! # Vectors
//!
//! A text's vector is the sum of its words' vectors, made as long as 1. A word's vector comes from hashing it, in small
//! letters, with FNV-1a and drawing numbers between -1 and 1 from SplitMix64 with that seed. Texts that share words are
//! therefore near each other. There are 16 numbers unless the request says otherwise, up to 4096; a text without words is
//! `1, 0, 0, …`.

mod client;
mod conversions;
mod directives;
mod prompt;
mod schema;
mod script;
mod speech;
#[cfg(test)]
mod tests;
mod vectors;
mod words;

mortise_sdk::provider!(client::Echo);
