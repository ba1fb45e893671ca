//! The Rhai sandbox, the effect catalogue, module loading.
