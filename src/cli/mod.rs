//! The command line: one file per command; what they share is here and in `common`.

mod agent;
mod apply;
mod cancel;
mod common;
mod completions;
mod doctor;
mod doubt;
mod exit;
mod explain;
mod export;
mod find;
mod flags;
mod fmt;
mod image;
mod import;
mod init;
mod keep;
mod logs;
mod plan;
mod rack;
mod release;
mod replay;
mod run;
mod runs;
mod setup;
mod show;
mod status;
mod store;
mod task;
mod validate;
mod watch;

use crate::store::Answer;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use exit::{CliError, Exit};
use std::ffi::OsString;
use std::process::ExitCode;

/// Declarative bare metal: a site design in git, a trustworthy plan, a durable apply.
#[derive(Parser)]
#[command(name = "rackwright", version, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(clap::Args)]
pub struct Global {
    /// The store, as sqlite:PATH; default .rackwright/store.db beside the design.
    #[arg(long, global = true, value_name = "URL", env = "RACKWRIGHT_STORE")]
    pub store: Option<String>,
    /// What is written to standard error: error, warn, info, debug, trace, or a filter such as
    /// rackwright::effect=debug.
    #[arg(long, global = true, value_name = "LEVEL", env = "RACKWRIGHT_LOG", default_value = "warn")]
    pub log: String,
    /// When to colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub enum Command {
    Init(init::Args),
    Validate(validate::Args),
    Show(show::Args),
    Find(find::Args),
    Plan(plan::Args),
    Apply(apply::Args),
    Watch(watch::Args),
    Run(run::Args),
    Runs(runs::Args),
    Status(status::Args),
    Store(store::Args),
    Logs(logs::Args),
    Replay(replay::Args),
    Cancel(cancel::Args),
    /// Say that a step in doubt was not done: the next apply does it again.
    Retry(doubt::Args),
    /// Say that a step in doubt was done: the next apply goes on after it.
    Skip(doubt::Args),
    Release(release::Args),
    Rack(rack::Args),
    Agent(agent::Args),
    Task(task::Args),
    Fmt(fmt::Args),
    Export(export::Args),
    Import(import::Args),
    Explain(explain::Args),
    Image(image::Args),
    Doctor(doctor::Args),
    #[command(hide = true)]
    Keep(keep::Args),
    Completions(completions::Args),
}

/// Parses, sets up, runs; the exit code is the contract's. `args` begin with the program's name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and versions are results; everything else is wrong usage.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    setup::color(cli.global.color);
    let outcome = setup::log(&cli.global.log, common::colored(&cli.global))
        .and_then(|()| setup::crypto())
        .and_then(|()| setup::runtime())
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(cli));
            runtime.shutdown_timeout(std::time::Duration::from_secs(2));
            outcome
        });
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            error.print();
            error.exit.into()
        }
    }
}

async fn run(cli: Cli) -> Result<Exit, CliError> {
    let global = &cli.global;
    match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Validate(args) => validate::run(global, &args).await,
        Command::Show(args) => show::run(global, &args).await,
        Command::Find(args) => find::run(global, &args).await,
        Command::Plan(args) => plan::run(global, &args).await,
        Command::Apply(args) => apply::run(global, &args).await,
        Command::Watch(args) => watch::run(global, args).await,
        Command::Run(args) => self::run::run(global, &args).await,
        Command::Runs(args) => runs::run(global, &args).await,
        Command::Status(args) => status::run(global, &args).await,
        Command::Store(args) => store::run(global, &args).await,
        Command::Logs(args) => logs::run(global, &args).await,
        Command::Replay(args) => replay::run(global, &args).await,
        Command::Cancel(args) => cancel::run(global, &args).await,
        Command::Retry(args) => doubt::run(global, &args, Answer::Retry).await,
        Command::Skip(args) => doubt::run(global, &args, Answer::Skip).await,
        Command::Release(args) => release::run(global, &args).await,
        Command::Task(args) => task::run(global, &args).await,
        Command::Rack(args) => rack::run(global, &args).await,
        Command::Agent(args) => agent::run(global, args).await,
        Command::Import(args) => import::run(global, &args),
        Command::Fmt(args) => fmt::run(global, &args).await,
        Command::Export(args) => export::run(global, &args).await,
        Command::Explain(args) => explain::run(global, &args),
        Command::Image(args) => image::run(global, &args).await,
        Command::Doctor(args) => doctor::run(global, &args).await,
        Command::Keep(args) => keep::run(args).await,
        Command::Completions(args) => completions::run(&args, Cli::command()),
    }
}
