//! Files of the workspace: read, written, edited, patched, listed, moved and deleted.
//!
//! # What is kept
//!
//! | | |
//! |---|---|
//! | encodings | UTF-8 and, with a byte order mark, UTF-16; a file is written back as it was found. Anything else is refused in words |
//! | line ends | a file of CRLF lines is shown, matched and patched with plain line feeds, and written back with CRLF |
//! | whole files | a file is written beside the old one and then takes its place, so that nobody finds half of it |
//! | what a path is | a link, and a script (`#!`), which may be executable, are written in place: a new file would be neither |
//! | bounds | files of 8 MiB, answers of 256 KiB, 2000 entries of a directory |

mod edit;
mod file;
mod list;
mod moves;
mod patch;
mod read;
#[cfg(test)]
mod tests;
mod text;
mod toolbox;
mod write;

mortise_sdk::tools!(toolbox::Files);
