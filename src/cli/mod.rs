//! Arguments in, text and exit status out. It decides nothing: it asks a controller.

mod analyse;
mod args;
mod bc;
mod calibration;
mod chaos;
mod config;
mod dashboard;
mod drill;
mod estate;
mod fail;
mod forecast;
mod hunt;
mod journal;
mod lab;
mod letter;
mod named;
mod needs;
mod open;
mod operations;
mod order;
mod output;
mod plain;
mod serve;
mod stage;
mod status;
mod story;
mod test;
mod trigger;
mod validate;
mod wait;

pub use status::{check_status, status_json, status_words};

use args::{Arguments, Command};
use clap::Parser;
use fail::Fail;
use std::process::ExitCode;

/// Runs the program. Exit status: 0 done, 1 it did not succeed, 2 the call was wrong, 3 refused by a law or by access.
pub fn main() -> ExitCode {
    output::listen_to(std::env::args_os());
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(e) if e.use_stderr() && output::is_json() => {
            let text = e.render().to_string();
            return output::finish(Err(Fail::of(
                2,
                output::own_lines(text.trim_start_matches("error: ").trim_end()),
            )));
        }
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    let _ = color_eyre::install();
    crate::tui::watch_panics();
    log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return output::finish(Err(Fail::failed(format!("no threads to run on: {e}")))),
    };
    let result = runtime.block_on(run(arguments));
    // A blocked read of the terminal must not keep the program from ending.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    let panicked = || Fail::failed("a part of the program panicked; what was decided is in the journal");
    output::finish(result.and_then(|()| if crate::tui::panicked() { Err(panicked()) } else { Ok(()) }))
}

/// The program's own words go into a ring that the dashboard shows; nothing is written on a screen in use.
fn log() {
    use tracing_subscriber::layer::SubscriberExt;
    // Without `init_logger`, whose thread wakes a hundred times a second: the screen fetches what has come when it draws.
    tui_logger::set_default_level(tui_logger::LevelFilter::Info);
    let subscriber = tracing_subscriber::registry().with(tui_logger::TuiTracingSubscriberLayer);
    let _ = tracing::subscriber::set_global_default(subscriber);
}

async fn run(arguments: Arguments) -> Result<(), Fail> {
    match arguments.command {
        None => dashboard::dashboard(arguments.open).await,
        Some(Command::BusinessContinuity(command)) => bc::run(command).await,
        Some(Command::Forecast(ask)) => forecast::run(ask).await,
        Some(Command::Hunt(ask)) => hunt::run(ask),
        Some(Command::Analyse(command)) => analyse::run(command).await,
        Some(Command::Test(command)) => test::run(command),
        Some(Command::Chaos(command)) => chaos::run(command).await,
        Some(Command::Journal(command)) => journal::run(command),
        Some(Command::Estate(command)) => estate::run(command).await,
        Some(Command::Config(command)) => config::run(command).await,
        Some(Command::Serve { config, arm }) => serve::run(&config, arm).await,
        Some(Command::Lab(command)) => lab::run(command),
    }
}
