//! Making errors.

use std::io;

use super::{Error, ErrorKind};

impl Error {
    /// An error of this kind. The message reaches the model: what is wrong, and what to do about it.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The arguments make no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArguments, message)
    }

    /// What was asked for isn't there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// The operator doesn't allow it.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, message)
    }

    /// It can't be done now; later it may be.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// It was tried and did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// What the file system said, with what was tried: `read src/main.rs`.
    pub fn io(tried: &str, error: &io::Error) -> Self {
        let (kind, reason) = match error.kind() {
            io::ErrorKind::NotFound => (ErrorKind::NotFound, "there is no such file or directory".to_owned()),
            io::ErrorKind::PermissionDenied => (
                ErrorKind::Denied,
                "the workspace doesn't allow it (it may be read-only, or a link leads out of it)".to_owned(),
            ),
            io::ErrorKind::ReadOnlyFilesystem => (ErrorKind::Denied, "the workspace is read-only".to_owned()),
            io::ErrorKind::NotADirectory => (ErrorKind::Failed, "a part of the path is no directory".to_owned()),
            io::ErrorKind::IsADirectory => (ErrorKind::Failed, "it is a directory".to_owned()),
            io::ErrorKind::DirectoryNotEmpty => (ErrorKind::Failed, "the directory is not empty".to_owned()),
            io::ErrorKind::AlreadyExists => (ErrorKind::Failed, "it exists already".to_owned()),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                (ErrorKind::Unavailable, "no space is left in the workspace".to_owned())
            }
            _ => (ErrorKind::Failed, error.to_string()),
        };
        Self::new(kind, format!("can't {tried}: {reason}"))
    }
}
