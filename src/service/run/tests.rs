//! Runs with scripted models and tools.
