//! Everything under `/openai/v1`, as the vendor's API is documented.

mod chat_completions;
mod embeddings;
mod models;
mod responses;
mod responses_items;
mod responses_stream;
mod responses_vendor;
mod stream;
