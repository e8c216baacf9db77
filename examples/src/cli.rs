//! The command line: `coro list`, `coro run`, `coro crawl`, `coro compare`, `coro bench`, `coro serve` and
//! `coro sim`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{ExitCode, exit};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};
use coro_core::RunError;

use crate::bench::command::{BenchArgs, Benched, bench};
use crate::bench::own;
use crate::bench::shared::request::Request;
use crate::compare::{Settings, compare};
use crate::compare_crawl::compare_crawls;
use crate::crawl::{self, CommandError, CrawlArgs};
use crate::fiber_http::command::{self as serving, ServeArgs, ServeError};
use crate::flavour_choice::FlavourChoice;
use crate::loop_kind::LoopKind;
use crate::one_line::one_line;
use crate::programs::{Context, Program};
use crate::simulated::command::{self as sim, SimArgs, SimError, Studies};
use crate::table;
use crate::transcript::Transcript;

/// A wrong command line.
const MISUSE: u8 = 2;

/// The same programs as native bodies, generators and fibers
#[derive(Debug, Parser)]
#[command(name = "coro", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the programs
    List,
    /// Run a program
    Run(Run),
    /// Fetch pages and collect their links: areq.py, or a whole site
    Crawl(CrawlArgs),
    /// Compare all programs, and a crawl, in all flavours on all loops (the default)
    Compare(Compare),
    /// Measure the flavours, and other runtimes at the same work
    Bench(BenchArgs),
    /// Serve HTTP on fibers: a synchronous handler that asks another server, with synchronous libraries
    Serve(ServeArgs),
    /// Run a program that has a bug in every order of events, until it shows
    Sim(SimArgs),
    /// One measurement: what `bench` runs as a process of its own
    #[command(hide = true)]
    BenchOne(Request),
}

#[derive(Debug, Args)]
#[command(arg_required_else_help = false, subcommand_value_name = "PROGRAM")]
#[command(subcommand_help_heading = "Programs")]
struct Run {
    /// The flavour in which to run it
    #[arg(long, global = true, value_enum, default_value = "all")]
    flavour: FlavourChoice,
    /// The loop on which to run it
    #[arg(long = "loop", global = true, value_enum, default_value = "sim", value_name = "LOOP")]
    loop_kind: LoopKind,
    /// Run the clock of a loop over the kernel this many times as fast
    #[arg(long, global = true, value_name = "X", value_parser = parse_speed, allow_negative_numbers = true)]
    speed: Option<f64>,
    #[command(subcommand)]
    program: Program,
}

#[derive(Debug, Args, Default)]
struct Compare {
    /// Run the clock of a loop over the kernel this many times as fast, instead of choosing for each program
    #[arg(long, value_name = "X", value_parser = parse_speed, allow_negative_numbers = true)]
    speed: Option<f64>,
}

fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => Err("give a positive number, such as 10 or 0.5".to_string()),
    }
}

/// What keeps a command from giving its answer.
enum Failure {
    Misuse(String),
    Run(RunError),
    Output(io::Error),
    Crawl(String),
    /// A comparison found differences, a benchmark failed or missed a target, or a simulation found a bug: what it was has
    /// been printed.
    Printed,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Usage(message) => Self::Misuse(message),
            CommandError::Failed(message) => Self::Crawl(message),
            CommandError::Output(error) => Self::Output(error),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Run(error) => Self::Run(error),
            ServeError::Io(error) => Self::Output(error),
        }
    }
}

impl From<SimError> for Failure {
    fn from(error: SimError) -> Self {
        match error {
            SimError::Output(error) => Self::Output(error),
            error => Self::Misuse(error.to_string()),
        }
    }
}

/// Does what the command line says. Its exit status is 0, or 1 if something failed or differed, or 2 for a wrong
/// command line, which is answered with one line on the standard error.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match Cli::try_parse_from(arguments) {
        Ok(cli) => dispatch(cli),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            write!(io::stdout(), "{}", error.render()).map_err(Failure::from)
        }
        Err(error) => Err(Failure::Misuse(said_in_one_line(&error))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failure::Printed) => ExitCode::FAILURE,
        Err(Failure::Misuse(message)) => {
            complain(&message);
            ExitCode::from(MISUSE)
        }
        Err(Failure::Output(error)) => {
            complain(&error);
            ExitCode::FAILURE
        }
        Err(Failure::Run(error)) => {
            complain(&error);
            ExitCode::FAILURE
        }
        Err(Failure::Crawl(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Compare(Compare::default())) {
        Command::List => list(&mut io::stdout()),
        Command::Run(run) => run_program(&run),
        Command::Crawl(arguments) => Ok(crawl::run(&arguments)?),
        Command::Compare(options) => compare_all(&options, &mut io::stdout()),
        Command::Bench(arguments) => run_bench(&arguments),
        Command::Serve(arguments) => Ok(serving::run(&arguments, io::stdout())?),
        Command::Sim(arguments) => run_sim(&arguments),
        Command::BenchOne(request) => Ok(own::answer(&request)?),
    }
}

fn list(out: &mut dyn Write) -> Result<(), Failure> {
    for (name, about) in Program::list() {
        writeln!(out, "{name:<17} {about}")?;
    }
    Ok(())
}

fn run_program(run: &Run) -> Result<(), Failure> {
    run.program.check().map_err(Failure::Misuse)?;
    if run.speed.is_some() && run.loop_kind == LoopKind::Sim {
        let advice = "--speed is for the loops over the kernel, and virtual time needs none: add --loop epoll, or leave it out";
        return Err(Failure::Misuse(advice.to_string()));
    }
    let flavours = run.flavour.flavours();
    for &flavour in flavours {
        if flavours.len() > 1 {
            // On the standard error, so that the standard output is nothing but transcripts. If nobody can read
            // it, nothing is lost.
            let _ = writeln!(io::stderr(), "== {flavour} on {}", run.loop_kind);
        }
        let event_loop = run.loop_kind.make(run.speed).map_err(|error| Failure::Run(error.into()))?;
        let context = Context { event_loop, out: Transcript::echoing(print_line) };
        run.program.run(flavour, &context).map_err(Failure::Run)?;
    }
    Ok(())
}

/// Prints a line of a transcript. If nobody reads it, the program has no reason to go on.
fn print_line(line: &str) {
    match writeln!(io::stdout(), "{line}") {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit(0),
        Err(error) => {
            complain(&error);
            exit(1);
        }
    }
}

fn compare_all(options: &Compare, out: &mut dyn Write) -> Result<(), Failure> {
    let settings = Settings { speed: options.speed, ..Settings::default() };
    let mut comparison = compare(&settings, out)?;
    compare_crawls(&settings, &mut comparison, out)?;
    writeln!(out)?;
    table::print(&comparison.rows, out)?;
    if cfg!(debug_assertions) {
        writeln!(out, "This is a debug build: build with --release for meaningful nanoseconds.")?;
    }
    if comparison.problems.is_empty() { Ok(()) } else { Err(Failure::Printed) }
}

fn run_bench(arguments: &BenchArgs) -> Result<(), Failure> {
    match bench(arguments, &mut io::stdout())? {
        Benched::Well => Ok(()),
        Benched::Failed | Benched::Unmet => Err(Failure::Printed),
    }
}

fn run_sim(arguments: &SimArgs) -> Result<(), Failure> {
    match sim::run(arguments, &mut io::stdout())? {
        Studies::Passed => Ok(()),
        Studies::Failed => Err(Failure::Printed),
    }
}

fn complain(what: &dyn std::fmt::Display) {
    // If nobody can read it, the exit status says it still.
    let _ = writeln!(io::stderr(), "coro: {}", one_line(&what.to_string()));
}

/// What clap has to say, without the usage, in one line.
fn said_in_one_line(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::MissingSubcommand {
        return "run needs the name of a program; tip: 'coro list' names them".to_string();
    }
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
    {
        return unknown_name(name, error);
    }
    let rendered = error.render().to_string();
    let is_advice = |line: &str| !line.starts_with("Usage:") && !line.starts_with("For more information");
    let said: Vec<_> = rendered.lines().map(str::trim).take_while(|line| is_advice(line)).collect();
    let said: Vec<_> = said.into_iter().filter(|line| !line.is_empty()).collect();
    said.join(" ").trim_start_matches("error: ").replace(" tip:", "; tip:")
}

fn unknown_name(name: &str, error: &clap::Error) -> String {
    if Program::list().iter().any(|(program, _)| program == name) {
        return format!("there is no command '{name}'; tip: coro run {name}");
    }
    let similar = match error.get(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(names)) => names.last(), // the most similar one
        Some(ContextValue::String(name)) => Some(name),
        _ => None,
    };
    match similar {
        Some(similar) => format!("there is no '{name}'; tip: did you mean '{similar}'?"),
        None => {
            format!("there is no '{name}'; tip: 'coro list' names the programs, 'coro help' the commands")
        }
    }
}
