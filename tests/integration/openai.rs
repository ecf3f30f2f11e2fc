//! Everything under `/openai` and `/v1`: OpenAI's surface, over the plugin that answers with what it was told.

mod v1;
