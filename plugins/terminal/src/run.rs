//! The tool `terminal`.

use mortise_sdk::tool::process::{self, Command, Finished};
use mortise_sdk::tool::{Call, Error, NoSettings, Reply, Workspace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::line::{self, Line};

const SHELL: &str = "sh";
const SECONDS: u32 = 120;
const MOST_SECONDS: u32 = 3600;
/// The longest command and the largest input, in bytes.
const LONGEST: usize = 64 << 10;
const INPUT: usize = 1 << 20;
/// The most that is shown of each stream, in bytes: beginning and end.
const SHOWN: usize = 50_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// The command line, such as `pytest tests/test_api.py -v`; with arguments given beside, the program's name alone.
    command: String,
    /// The program's arguments, each as it is; then nothing in the command is split.
    #[serde(alias = "args")]
    #[schemars(extend("x-aliases" = ["args"]))]
    arguments: Option<Vec<String>>,
    /// The directory to run it in, relative to the workspace; its root by default.
    #[serde(alias = "directory", alias = "cwd")]
    #[schemars(extend("x-aliases" = ["directory", "cwd"]))]
    working_directory: Option<String>,
    /// What the program reads from its standard input.
    stdin: Option<String>,
    /// How long it may run, 120 by default.
    #[serde(alias = "timeout")]
    #[schemars(extend("x-aliases" = ["timeout"]), range(min = 1, max = 3600))]
    timeout_seconds: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Outcome {
    status: Status,
    /// Absent where the program was ended from outside.
    exit_code: Option<i32>,
    stdout: String,
    stderr: String,
    /// Whether there was more output than is shown.
    truncated: bool,
}

#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Failure,
}

pub(crate) fn run(arguments: Arguments, _: &Call<NoSettings>) -> Result<Reply, Error> {
    let (command, syntax) = command(arguments)?;
    let finished = process::run(&command).map_err(|error| told(error, &command, syntax.as_deref()))?;
    Ok(reply(&finished))
}

/// What to run, and the syntax for which it needs a shell.
fn command(arguments: Arguments) -> Result<(Command, Option<String>), Error> {
    let Arguments { command, arguments, working_directory, stdin, timeout_seconds } = arguments;
    let length = command.len() + arguments.iter().flatten().map(String::len).sum::<usize>();
    if length > LONGEST {
        return Err(Error::invalid(format!("the command has {length} bytes, more than {LONGEST}")));
    }
    if command.contains('\0') || arguments.iter().flatten().any(|argument| argument.contains('\0')) {
        return Err(Error::invalid("the command holds a NUL character"));
    }
    let (mut words, syntax) = match arguments {
        Some(arguments) => {
            let program = command.trim();
            if program.is_empty() {
                return Err(Error::invalid("the command is empty"));
            }
            ([vec![program.to_owned()], arguments].concat(), None)
        }
        None => match line::read(&command).map_err(Error::invalid)? {
            Line::Words(words) => (words, None),
            Line::Shell(syntax) => (vec![SHELL.to_owned(), "-c".to_owned(), command], Some(syntax)),
        },
    };
    let program = words.remove(0);
    if program.contains('/') {
        return Err(Error::denied(format!(
            "`{program}`: programs run by name only; run a script of the workspace with its interpreter, such as `python3 {program}`"
        )));
    }
    let directory = match working_directory.as_deref().map(|path| Workspace.resolve(path)).transpose()? {
        Some(place) if !place.is_root() => Some(place.name().to_owned()),
        _ => None,
    };
    let stdin = stdin.unwrap_or_default().into_bytes();
    if stdin.len() > INPUT {
        return Err(Error::invalid(format!("the input has {} bytes, more than {INPUT}", stdin.len())));
    }
    let seconds = timeout_seconds.unwrap_or(SECONDS).clamp(1, MOST_SECONDS);
    Ok((Command { directory, stdin, timeout_ms: seconds * 1000, ..Command::new(program, words) }, syntax))
}

fn told(error: process::Error, command: &Command, syntax: Option<&str>) -> Error {
    let program = &command.program;
    match (error, syntax) {
        // What would allow it the host says, which knows what is allowed.
        (process::Error::Denied, Some(syntax)) => Error::denied(format!(
            "`{}` needs a shell, and none is allowed; run one program at a time, with its arguments",
            syntax.escape_default()
        )),
        (process::Error::Denied, None) => Error::denied(format!("the program `{program}` is not allowed")),
        (process::Error::NotFound, _) => Error::not_found(match &command.directory {
            Some(directory) => format!("there is no program `{program}` here, or no directory `{directory}`"),
            None => format!("there is no program `{program}` here"),
        }),
        (process::Error::TimedOut, _) => Error::failed(format!(
            "`{program}` was ended: it had not finished after {} seconds; raise timeout_seconds, or do less at once",
            command.timeout_ms / 1000
        )),
        (process::Error::Unavailable, _) => {
            Error::unavailable(format!("`{program}` can't be run now; try again later"))
        }
    }
}

fn reply(finished: &Finished) -> Reply {
    let (stdout, cut_stdout) = shorten(&finished.stdout);
    let (stderr, cut_stderr) = shorten(&finished.stderr);
    let mut text = stdout.clone();
    if !stderr.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("[stderr]\n{stderr}"));
    }
    let note = match finished.code {
        Some(0) if text.is_empty() => Some("[no output]".to_owned()),
        Some(0) => None,
        Some(code) => Some(format!("[exit code {code}]")),
        None => Some("[ended by a signal]".to_owned()),
    };
    let status = if finished.succeeded() { Status::Success } else { Status::Failure };
    let truncated = finished.truncated || cut_stdout || cut_stderr;
    let outcome = Outcome { status, exit_code: finished.code, stdout, stderr, truncated };
    let reply = if text.is_empty() { Reply::default() } else { Reply::text(text) };
    let reply = if finished.truncated { reply.and_text("[there was more output than is kept]") } else { reply };
    note.map_or(reply.clone(), |note| reply.and_text(note)).with(&outcome)
}

/// As text, with its middle left out where it is long: errors stand at either end.
fn shorten(bytes: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(bytes);
    if text.len() <= SHOWN {
        return (text.into_owned(), false);
    }
    let head = text.floor_char_boundary(SHOWN / 2);
    let tail = text.ceil_char_boundary(text.len() - SHOWN / 2);
    let (first, last) = (text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default());
    (format!("{first}\n[… {} bytes left out …]\n{last}", tail - head), true)
}
