//! What every command needs before it starts: colour, logging, the crypto provider, the runtime.

use super::Color;
use super::exit::{CliError, Exit};
use tracing_subscriber::EnvFilter;

pub fn color(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// Logs go to standard error, with the run, node and step that they belong to.
pub fn log(level: &str, color: bool) -> Result<(), CliError> {
    let wrong =
        |error: String| CliError::new(Exit::Usage, format!("`--log {level}` is not understood: {error}"));
    // Whoever runs the command line inside another program has a subscriber of its own.
    if tracing::dispatcher::has_been_set() {
        return Ok(());
    }
    let is_level = LEVELS.contains(&level.to_ascii_lowercase().as_str());
    if !is_level && !level.contains(['=', ',']) {
        return Err(wrong(format!("the levels are {}", LEVELS.join(", "))));
    }
    let filter = EnvFilter::try_new(level).map_err(|error| wrong(error.to_string()))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(color)
        .try_init()
        .map_err(|error| wrong(error.to_string()))
}

/// ring, for all of TLS.
pub fn crypto() -> Result<(), CliError> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| CliError::new(Exit::Fault, "another TLS provider is installed already"))
}

pub fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    // A node, its BMC connection and its boot each hold files open.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build()
        .map_err(|error| CliError::of(Exit::Fault, &error))
}
