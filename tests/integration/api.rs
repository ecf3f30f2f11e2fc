//! Everything under `/api`: the native surface.

mod v1;
