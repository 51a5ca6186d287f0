//! The log, on standard error.
//!
//! Secrets are kept out of it by their type: [`handfast::secret::Secret`] prints `[redacted]`. Nothing here logs a
//! body, a header or an URL with a query. Other crates may only warn, because what they say at finer levels is not
//! ours to vouch for.

use tracing::Level;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::cli;

/// Starts the log.
pub(crate) fn start(options: &cli::Logging) {
    let level = match options.log {
        cli::Level::Error => Level::ERROR,
        cli::Level::Warn => Level::WARN,
        cli::Level::Info => Level::INFO,
        cli::Level::Debug => Level::DEBUG,
    };
    let filter = Targets::new().with_default(level.min(Level::WARN)).with_target("provisioner", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    match options.log_format {
        cli::LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            registry.with(lines.with_ansi(colours)).init();
        }
        cli::LogFormat::Json => registry.with(lines.json()).init(),
    }
}
