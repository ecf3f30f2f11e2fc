//! Everything under `/openai/v1`, as the vendor's API is documented.

mod chat_completions;
mod embeddings;
mod models;
mod stream;
