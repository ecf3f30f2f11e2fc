//! Everything under `/anthropic`: Anthropic's surface, over the plugin that answers with what it was told, and over a vendor's.

mod v1;
